import { lockHome } from "../../../src/platform/home-lock.ts";
import { platform } from "../platform.ts";

/** Takes the lock of the path named, says what came of it, and holds it for as long as it lives. */
const [, , path = ""] = process.argv;
try {
  process.once("exit", lockHome(platform, path));
  console.log("locked");
  setInterval(() => {}, 60_000);
} catch (error) {
  console.log(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
}
