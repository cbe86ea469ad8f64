import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { FIVE_LAYERS } from "../support/five-layers.ts";
import {
  busyboxLayout,
  extractErofs,
  nodeLayout,
  noFsck,
  noRegistry,
  noUmoci,
  pythonLayout,
  startRegistry,
  type TestRegistry,
  umociUnpack,
} from "../support/fixtures.ts";
import {
  archiveOf,
  type LayerCompression,
  LayeredLayout,
  type TestLayer,
} from "../support/layered-layout.ts";
import { startTestService, type TestService } from "../support/service.ts";
import { directory, file, tar } from "../support/tar-builder.ts";
import { differences, treeOf } from "../support/tree-of.ts";
import { ARCHITECTURE, withRootfs } from "../support/with-rootfs.ts";

const FOREIGN = ARCHITECTURE === "amd64" ? "arm64" : "amd64";
const MIXED: readonly LayerCompression[] = ["none", "gzip", "zstd", "none", "gzip"];
let work = "";
const five = (compressions: readonly LayerCompression[]): TestLayer[] =>
  FIVE_LAYERS.map((archive, index) => ({ archive, compression: compressions[index] ?? "none" }));
const made = (tag: string): [string, string] => [join(work, "made"), tag];

before(async () => {
  work = await mkdtemp(join(tmpdir(), "boxer-trees-"));
  const layout = await LayeredLayout.create(join(work, "made"));
  await layout.tag("mixed", await layout.addImage(five(MIXED), ARCHITECTURE));
  // umoci 0.4 knows no zstd.
  const readable = MIXED.map((compression) => (compression === "zstd" ? "gzip" : compression));
  await layout.tag("readable", await layout.addImage(five(readable), ARCHITECTURE));
  const only = (name: string) => [
    { archive: tar(directory("./"), file(name)), compression: "gzip" as const },
  ];
  const ours = await layout.addImage(only("ours"), ARCHITECTURE);
  const foreign = await layout.addImage(only("foreign"), FOREIGN);
  await layout.tag("ours", ours);
  await layout.tag("index", await layout.addIndex({ [FOREIGN]: foreign, [ARCHITECTURE]: ours }));
});
after(() => rm(work, { recursive: true, force: true }));

describe("the tree of an image is the one that umoci unpacks, entry by entry:", { skip: noUmoci }, () => {
  const cases: [what: string, ours: () => [string, string], theirs: () => [string, string], has: string][] = [
    ["busybox", () => [busyboxLayout, "latest"], () => [busyboxLayout, "latest"], "bin/busybox"],
    ["Debian's Python", () => [pythonLayout, "latest"], () => [pythonLayout, "latest"], "usr/bin/python3"],
    ["Debian's Node.js", () => [nodeLayout, "latest"], () => [nodeLayout, "latest"], "usr/bin/node"],
    ["five layers, plain, gzip and zstd", () => made("mixed"), () => made("readable"), "var/opaque/after"],
    ["ours of a multi-arch index", () => made("index"), () => made("ours"), "ours"],
  ];
  for (const [what, ours, theirs, has] of cases) {
    it(what, async () => {
      const bundle = join(work, `umoci-${has.replaceAll("/", "-")}`);
      const expected = await treeOf(await umociUnpack(theirs().join(":"), bundle));
      await rm(bundle, { recursive: true });
      assert.ok(expected[has], `umoci has no ${has}`);
      await withRootfs(...ours(), async (tree) => {
        assert.deepEqual(differences(expected, await treeOf(tree)), []);
      });
    });
  }
});

describe("the file system that guests see is the tree", { skip: noFsck }, () => {
  const cases: [what: string, layout: () => [string, string]][] = [
    ["of busybox", () => [busyboxLayout, "latest"]],
    ["of five layers", () => made("mixed")],
  ];
  for (const [what, layout] of cases) {
    it(what, async () => {
      await withRootfs(...layout(), async (tree, erofs) => {
        const extracted = join(work, "extracted");
        await extractErofs(erofs, extracted);
        const [expected, found] = [
          await treeOf(tree, { extracted: true }),
          await treeOf(extracted, { extracted: true }),
        ];
        await rm(extracted, { recursive: true });
        assert.deepEqual(differences(expected, found), []);
      });
    });
  }
});

describe("images of other kinds run:", { skip: noRegistry }, () => {
  let registry: TestRegistry;
  let service: TestService;
  before(async () => {
    registry = await startRegistry();
    service = await startTestService();
  });
  after(async () => {
    await service?.stop();
    await registry?.stop();
  });

  it("Debian's Node.js", async () => {
    await registry.push(nodeLayout, "some/node:1");
    const run = await service.run({
      image: `${registry.host}/some/node:1`,
      cmd: ["node", "-e", "console.log(42)"],
    });
    assert.deepEqual(
      [run.status, run.body.stdout, run.body.exit_code],
      [200, "42\n", 0],
      JSON.stringify(run.body),
    );
  });

  it("layers compressed with zstd, gzip and not at all, with all that they say of their files", async () => {
    await registry.push(await onBusybox(), "some/layers:1");
    const cmd = [
      "stat",
      "-c",
      "%n %a %u:%g %Y %h",
      "/usr/bin/su",
      "/home/user",
      "/etc/hosts-too",
      "/lib/libnew.so",
    ];
    const run = await service.run({ image: `${registry.host}/some/layers:1`, cmd });
    const expected = [
      "/usr/bin/su 6711 0:12 1604492800 1",
      "/home/user 755 1000:1000 1603456000 2",
      "/etc/hosts-too 644 0:0 1600777600 1",
      "/lib/libnew.so 644 0:0 1601900800 1",
      "",
    ];
    assert.deepEqual([run.status, run.body.stdout], [200, expected.join("\n")], JSON.stringify(run.body));
  });
});

/** A layout with the five layers upon busybox, whose layer is compressed with zstd. */
async function onBusybox(): Promise<string> {
  const busybox = { archive: await archiveOf(busyboxLayout), compression: "zstd" } as const;
  const copy = join(work, "on-busybox");
  const layout = await LayeredLayout.create(copy);
  await layout.tag("latest", await layout.addImage([busybox, ...five(MIXED)], ARCHITECTURE, ["PATH=/bin"]));
  return copy;
}
