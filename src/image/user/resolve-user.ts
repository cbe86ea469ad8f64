import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { errnoOf } from "../../core/errors.ts";
import { printable } from "../printable.ts";
import type { ImageUser } from "../types.ts";
import type { DirectoryTree } from "../unpack/directory-tree.ts";
import { findInRoot, UnresolvablePath } from "../unpack/resolve-in-root.ts";
import { findGroup, findUser } from "./account-files.ts";
import { numericUser, parseId } from "./numeric-user.ts";

/** Most bytes of a user database: tens of thousands of accounts. */
const MAX_ACCOUNTS_BYTES = 1 << 20;
/** A pipe in its place is neither waited for nor read, and no link is followed. */
const OPEN = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Finds whom the USER of an image's configuration means (OCI image specification, config.md: `user`, `uid`,
 * `user:group`, `uid:gid`, `uid:group`, `user:gid`; root where it is empty). What is written in digits is a number,
 * whatever the image calls so. Without a group it is that of the user's entry in /etc/passwd, if there is one.
 *
 * The two files are the image's own and so an attacker's: they are found within the root, and bounded.
 * @param tree the whole root file system, which nothing else writes to
 * @throws errors of reading the disk
 */
export function resolveUser(tree: DirectoryTree, text: string): ImageUser {
  const numeric = numericUser(text);
  if (numeric && numeric.gid !== null) return numeric;
  const [user = "", group = ""] = text.split(/:(.*)/s);
  try {
    return lookUp(tree, user, group);
  } catch (error) {
    if (!(error instanceof UnknownAccount)) throw error;
    return { unknown: error.message };
  }
}

class UnknownAccount extends Error {}

function lookUp(tree: DirectoryTree, user: string, group: string): ImageUser {
  const uid = parseId(user);
  if (uid === undefined) {
    const account = findUser(readAccounts(tree, "passwd"), user);
    if (!account) throw new UnknownAccount(`its /etc/passwd has no user ${quote(user)}`);
    return { uid: account.uid, gid: group === "" ? account.gid : gidOf(tree, group) };
  }
  if (group !== "") return { uid, gid: gidOf(tree, group) };
  return { uid, gid: findUser(readAccountsIfAny(tree), user)?.gid ?? null };
}

function gidOf(tree: DirectoryTree, group: string): number {
  const gid = parseId(group) ?? findGroup(readAccounts(tree, "group"), group);
  if (gid === undefined) throw new UnknownAccount(`its /etc/group has no group ${quote(group)}`);
  return gid;
}

/** Who is given as a number needs no entry, and so no file that is fit to be read. */
function readAccountsIfAny(tree: DirectoryTree): string {
  try {
    return readAccounts(tree, "passwd");
  } catch (error) {
    if (error instanceof UnknownAccount) return "";
    throw error;
  }
}

/** @throws UnknownAccount when it cannot be used */
function readAccounts(tree: DirectoryTree, name: "passwd" | "group"): string {
  const fd = openWithin(tree, name);
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile()) throw new UnknownAccount(`its /etc/${name} is no file`);
    if (stats.size > MAX_ACCOUNTS_BYTES) {
      throw new UnknownAccount(`its /etc/${name} has more than ${MAX_ACCOUNTS_BYTES} bytes`);
    }
    const bytes = Buffer.alloc(stats.size);
    let length = 0;
    for (let read = -1; read !== 0 && length < stats.size; length += read)
      read = readSync(fd, bytes, length, stats.size - length, null);
    return bytes.toString("utf8", 0, length);
  } finally {
    closeSync(fd);
  }
}

function openWithin(tree: DirectoryTree, name: string): number {
  try {
    const path = findInRoot(tree, ["etc", name]);
    if (path !== undefined) return openSync(path, OPEN);
  } catch (error) {
    if (!(error instanceof UnresolvablePath) && errnoOf(error) !== "ENXIO") throw error;
  }
  throw new UnknownAccount(`it has no /etc/${name}`);
}

function quote(name: string): string {
  return `"${printable(name, 100)}"`;
}
