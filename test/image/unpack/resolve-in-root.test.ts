import assert from "node:assert/strict";
import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { DirectoryTree } from "../../../src/image/unpack/directory-tree.ts";
import { resolveInRoot, resolveOrMakeInRoot } from "../../../src/image/unpack/resolve-in-root.ts";
import { withDirectory } from "../../support/unpack-fixture.ts";

/** A tree with `usr/lib/x`, a file `file`, and links; every path is given to `use` as it resolves, from the root. */
async function withLinks(
  use: (resolve: (path: string) => string | undefined, make: (path: string) => string) => void,
): Promise<void> {
  await withDirectory(async (path) => {
    const tree = new DirectoryTree(path);
    const usr = tree.makeDirectory(tree.root, "usr");
    tree.makeDirectory(tree.makeDirectory(usr, "lib"), "x");
    writeFileSync(join(path, "file"), "");
    const links = {
      lib: "usr/lib",
      absolute: "/usr/lib",
      "usr/up": "..",
      "usr/far": "../../../../usr/lib",
      "usr/both": "/lib/../up",
      twice: "absolute/x",
      dangling: "/not/yet",
      tofile: "file",
      loop: "loop2",
      loop2: "./loop",
      slashes: "//usr///lib/.//",
    };
    for (const [link, target] of Object.entries(links)) symlinkSync(target, join(path, link));
    const relative = (found: string): string => found.slice(path.length) || "/";
    use(
      (from) => {
        const found = resolveInRoot(tree, from.split("/"));
        return found && relative(tree.pathOfDirectory(found));
      },
      (from) => {
        const made = resolveOrMakeInRoot(tree, from.split("/"), (parent, name) =>
          tree.makeDirectory(parent, name),
        );
        return relative(tree.pathOfDirectory(made));
      },
    );
  });
}

describe("a path resolves as within chroot", () => {
  const cases: Record<string, string | undefined> = {
    "": "/",
    ".": "/",
    "..": "/",
    "../../usr": "/usr",
    "usr/lib/x": "/usr/lib/x",
    "usr//./lib/../lib/": "/usr/lib",
    lib: "/usr/lib",
    "lib/..": "/usr",
    "absolute/x": "/usr/lib/x",
    "usr/up/usr": "/usr",
    "usr/far/x": "/usr/lib/x",
    "usr/both": "/",
    twice: "/usr/lib/x",
    slashes: "/usr/lib",
    none: undefined,
    "none/..": undefined,
    dangling: undefined,
    file: undefined,
    "tofile/x": undefined,
  };
  for (const [path, expected] of Object.entries(cases)) {
    test(`${path || "(empty)"} → ${expected ?? "nothing"}`, () =>
      withLinks((resolve) => {
        assert.equal(resolve(path), expected);
        assert.equal(resolve(path), expected);
      }));
  }
});

test("what is missing is made, also where a link points to", () =>
  withLinks((resolve, make) => {
    assert.equal(make("lib/a/b"), "/usr/lib/a/b");
    assert.equal(make("dangling/c"), "/not/yet/c");
    assert.equal(make("new/../other"), "/other");
    assert.equal(resolve("new"), "/new");
  }));

test("nothing is made below a file, or at the end of a loop", () =>
  withLinks((resolve, make) => {
    assert.throws(() => make("file/a"), { message: "its parent is no directory" });
    assert.throws(() => make("tofile/a"), { message: "its parent is no directory" });
    assert.throws(() => make("loop/a"), { message: /too many/ });
    assert.throws(() => resolve("loop"), { message: /too many/ });
  }));
