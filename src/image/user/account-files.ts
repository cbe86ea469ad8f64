import { parseId } from "./numeric-user.ts";

/**
 * The first sound entry for a user in a file as of passwd(5): by name, or by number where `user` is one. Pure.
 * @returns undefined when there is none
 */
export function findUser(passwd: string, user: string): { uid: number; gid: number } | undefined {
  const wanted = parseId(user);
  for (const [name, , uidText = "", gidText = ""] of entriesOf(passwd)) {
    const [uid, gid] = [parseId(uidText), parseId(gidText)];
    if (uid === undefined || gid === undefined) continue;
    if (wanted === undefined ? name === user : uid === wanted) return { uid, gid };
  }
  return undefined;
}

/** The number of the first sound entry for a group's name in a file as of group(5); undefined when there is none. Pure. */
export function findGroup(group: string, wanted: string): number | undefined {
  for (const [name, , gidText = ""] of entriesOf(group)) {
    const gid = parseId(gidText);
    if (name === wanted && gid !== undefined) return gid;
  }
  return undefined;
}

/** Lines without a name, such as empty ones and NIS's `+`, name nobody. */
function* entriesOf(text: string): Generator<string[]> {
  for (const line of text.split("\n")) {
    const fields = line.split(":");
    if (fields.length > 2 && fields[0] !== "") yield fields;
  }
}
