import assert from "node:assert/strict";
import { test } from "node:test";
import { Admission, type AdmissionParts } from "../../src/files/admission.ts";
import { createMutex } from "../../src/files/create-mutex.ts";
import { NoRoomError, StoreUsage } from "../../src/files/store-usage.ts";

/** An admission whose tree does as told, and what was asked of its parts, in order. */
function admissionOf(place: () => void, options: { hasRoom?: boolean; fsync?: boolean } = {}) {
  const { hasRoom = true, fsync = false } = options;
  const asked: string[] = [];
  const tree = {
    async place(source: string, path: string) {
      asked.push(`place ${source} at ${path}`);
      place();
    },
    async placeDirectory(source: string, path: string, size_bytes: number) {
      asked.push(`place ${source} of ${size_bytes} at ${path}`);
      place();
    },
    sync: async (path: string) => void asked.push(`sync ${path}`),
  } as unknown as AdmissionParts["tree"];
  const housekeeper = {
    async makeRoom(growth_bytes: number) {
      asked.push(`make room for ${growth_bytes}`);
      return hasRoom;
    },
  };
  const parts = { tree, housekeeper, usage: new StoreUsage(9, 10), exclusively: createMutex(), fsync };
  return { admission: new Admission(parts), asked };
}

/** Refuses so many times for want of room. */
function refuse(times: number): () => void {
  let left = times;
  return () => {
    if (left-- > 0) throw new NoRoomError(5);
  };
}

test("what fits is placed at once, and brought onto the disk if that is wanted", async () => {
  for (const fsync of [true, false]) {
    const { admission, asked } = admissionOf(refuse(0), { fsync });
    await admission.place("staged", "a/b");
    assert.deepEqual(asked, ["place staged at a/b", ...(fsync ? ["sync a/b"] : [])]);
  }
});

test("where room is made, the next attempt places it", async () => {
  const { admission, asked } = admissionOf(refuse(1));
  await admission.placeDirectory("tree", "output/1", 5);
  const attempt = "place tree of 5 at output/1";
  assert.deepEqual(asked, [attempt, "make room for 5", attempt]);
});

test("where no room can be made it is refused, and not brought onto the disk", async () => {
  const { admission, asked } = admissionOf(refuse(1), { hasRoom: false, fsync: true });
  await assert.rejects(admission.place("staged", "a"), {
    code: "files_quota_exceeded",
    message: /the files take 9 of 10 bytes/,
  });
  assert.deepEqual(asked, ["place staged at a", "make room for 5"]);
});

test("others may take the room three times, and for the last of them nothing more is removed", async () => {
  const { admission, asked } = admissionOf(refuse(Number.POSITIVE_INFINITY));
  await assert.rejects(admission.place("staged", "a"), { code: "files_quota_exceeded" });
  assert.equal(asked.filter((each) => each.startsWith("place")).length, 3);
  assert.equal(asked.at(-1), "place staged at a");
});

test("a fault that is no want of room goes through, and nothing is removed for it", async () => {
  const { admission, asked } = admissionOf(() => {
    throw new Error("a fault");
  });
  await assert.rejects(admission.place("staged", "a"), /^Error: a fault$/);
  assert.deepEqual(asked, ["place staged at a"]);
});
