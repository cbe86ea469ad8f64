import assert from "node:assert/strict";
import { test } from "node:test";
import { findGroup, findUser } from "../../../src/image/user/account-files.ts";

const PASSWD = `root:x:0:0:root:/root:/bin/bash

# a comment
broken
app:x
app:x:nine:9
app:x:-1:9
app:x:4294967295:9
app:x:1001:1002:App:/app:/bin/sh
app:x:7:7
+:x:5:5
:x:6:6
`;

test("a user is found by name or number; what is malformed names nobody", () => {
  assert.deepEqual(findUser(PASSWD, "root"), { uid: 0, gid: 0 });
  assert.deepEqual(findUser(PASSWD, "app"), { uid: 1001, gid: 1002 });
  assert.deepEqual(findUser(PASSWD, "1001"), { uid: 1001, gid: 1002 });
  assert.equal(findUser("1001:x:3:3", "1001"), undefined);
  for (const user of ["", "broken", "APP", "app ", "6", "# a comment"]) {
    assert.equal(findUser(PASSWD, user), undefined, user);
  }
});

test("a group is found by name; what is malformed names none", () => {
  const group = "staff:x:many:\nstaff:x:50:\nwheel:x:10:root\n";
  assert.equal(findGroup(group, "staff"), 50);
  assert.equal(findGroup(group, "wheel"), 10);
  assert.equal(findGroup(group, "50"), undefined);
  assert.equal(findGroup("", "staff"), undefined);
});
