import type { ImageUser } from "../types.ts";

/** 2³²−1 is nobody: setuid(2) takes it for "unchanged". */
export const MAX_ID = 0xffff_fffe;

/** A user's or group's number in decimal digits; undefined for anything else, and for what no kernel takes. Pure. */
export function parseId(text: string): number | undefined {
  if (!/^\d{1,10}$/.test(text)) return undefined;
  const id = Number(text);
  return id <= MAX_ID ? id : undefined;
}

/** The USER of an image's configuration where it needs no looking up: empty, `uid`, `uid:` or `uid:gid`. Pure. */
export function numericUser(text: string): Exclude<ImageUser, { unknown: string }> | undefined {
  if (text === "") return { uid: 0, gid: 0 };
  const [user = "", group = ""] = text.split(/:(.*)/s);
  const [uid, gid] = [parseId(user), parseId(group)];
  if (uid === undefined || (group !== "" && gid === undefined)) return undefined;
  return { uid, gid: gid ?? null };
}
