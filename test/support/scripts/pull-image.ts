import { imageStoreOptions } from "../../../src/compose-images.ts";
import { homeAt } from "../../../src/core/home.ts";
import { silentLog } from "../../../src/core/log.ts";
import { openImageStore } from "../../../src/image/image-store.ts";
import { mkfsPath } from "../fixtures.ts";
import { platform } from "../platform.ts";
import { testConfig } from "../service.ts";

/** Pulls an image into the store of a home, and says when it begins and when the image is there. */
const [, , home = "", reference = ""] = process.argv;
const options = imageStoreOptions(testConfig(home), platform, homeAt(home), mkfsPath(), silentLog);
const store = await openImageStore(options);
console.log("pulling");
await store.acquire(reference, { signal: new AbortController().signal });
console.log("ready");
await store.close();
