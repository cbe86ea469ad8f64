import assert from "node:assert/strict";
import { test } from "node:test";
import { mountIfAllowed } from "../../src/sandbox/mount-if-allowed.ts";

const OPTIONS = { size_bytes: 4096, inodes: 5, uid: 0, gid: 0 };

/** Mounts of a kernel that answers with an error. */
function refusing(code: string | null) {
  const tmpfs = async () => {
    if (code !== null) throw Object.assign(new Error("no"), { code });
  };
  return { mounts: { tmpfs, unmount: async () => {} } };
}

for (const [code, expected] of [
  [null, true],
  ["EPERM", false],
  ["EACCES", false],
] as const) {
  test(`it is mounted: ${expected}, where the kernel says ${code ?? "nothing"}`, async () => {
    assert.equal(await mountIfAllowed("/x", OPTIONS, refusing(code)), expected);
  });
}

test("any other error is thrown", async () => {
  await assert.rejects(mountIfAllowed("/x", OPTIONS, refusing("ENOMEM")), { code: "ENOMEM" });
});
