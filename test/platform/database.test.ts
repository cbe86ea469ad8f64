import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { platform } from "../support/platform.ts";
import { type TestContext, tempDirectory } from "../support/temp-directory.ts";

async function database(t: TestContext) {
  const path = join(await tempDirectory(t), "test.sqlite");
  const opened = platform.openDatabase(path);
  t.after(() => opened.close());
  opened.exec(
    "CREATE TABLE entry (name TEXT PRIMARY KEY, size INTEGER); CREATE INDEX by_size ON entry (size)",
  );
  return { path, database: opened };
}

/** Rows as plain objects: their prototype differs between the runtimes. */
const plain = (rows: Record<string, unknown>[]) => rows.map((row) => ({ ...row }));

test("rows come back as they were put in, in the order asked for", async (t) => {
  const { database: db } = await database(t);
  db.run("INSERT INTO entry VALUES (?, ?)", "b", 2 ** 40);
  db.run("INSERT INTO entry VALUES (?, ?)", "a'; DROP TABLE entry; --", null);
  assert.deepEqual(plain(db.all("SELECT name, size FROM entry ORDER BY name")), [
    { name: "a'; DROP TABLE entry; --", size: null },
    { name: "b", size: 2 ** 40 },
  ]);
  assert.deepEqual(plain(db.all("SELECT size FROM entry WHERE name = ?", "b")), [{ size: 2 ** 40 }]);
  assert.deepEqual(db.all("SELECT * FROM entry WHERE name = ?", "nosuch"), []);
});

test("one statement can be run again with other values", async (t) => {
  const { database: db } = await database(t);
  for (let size = 0; size < 50; size += 1) db.run("INSERT INTO entry VALUES (?, ?)", `n${size}`, size);
  for (let size = 0; size < 50; size += 7) {
    assert.deepEqual(plain(db.all("SELECT name FROM entry WHERE size = ?", size)), [{ name: `n${size}` }]);
  }
});

test("what was written is there for who opens the file later", async (t) => {
  const { path, database: db } = await database(t);
  db.run("INSERT INTO entry VALUES (?, ?)", "kept", 1);
  const again = platform.openDatabase(path);
  t.after(() => again.close());
  assert.deepEqual(plain(again.all("SELECT name FROM entry")), [{ name: "kept" }]);
});

test("a transaction that is rolled back leaves nothing", async (t) => {
  const { database: db } = await database(t);
  db.exec("BEGIN");
  db.run("INSERT INTO entry VALUES (?, ?)", "gone", 1);
  db.exec("ROLLBACK");
  assert.deepEqual(db.all("SELECT * FROM entry"), []);
});

test("a violated constraint, bad SQL and a missing directory throw", async (t) => {
  const { database: db, path } = await database(t);
  db.run("INSERT INTO entry VALUES (?, ?)", "once", 1);
  assert.throws(() => db.run("INSERT INTO entry VALUES (?, ?)", "once", 2));
  assert.throws(() => db.exec("SELEC 1"));
  assert.throws(() => platform.openDatabase(join(path, "..", "nosuch", "x.sqlite")));
});
