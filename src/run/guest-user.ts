import { BoxerError } from "../core/errors.ts";
import { type GuestUser, NOBODY } from "../sandbox/spec.ts";

const MAX_ID = 0xffff_fffe;

/**
 * Who the guest is: nobody, unless the request says otherwise. Pure.
 * @param requested `uid`, `uid:gid` (the group is nobody's when it is left out), `image` for the image's own USER, or
 *   undefined
 * @param image USER of the image's configuration; only its numeric forms are understood
 * @param allowRoot whether the operator lets guests be root in their sandbox
 * @throws BoxerError `invalid_request` or `user_not_allowed`, naming `user`
 */
export function chooseUser(requested: string | undefined, image: string, allowRoot: boolean): GuestUser {
  if (requested === undefined) return NOBODY;
  const text = requested === "image" ? image || "0:0" : requested;
  const user = parseUser(text);
  const field = "user";
  if (!user) {
    const whose =
      requested === "image" ? `the image's USER ${JSON.stringify(image)}` : JSON.stringify(requested);
    throw new BoxerError("invalid_request", `user must be "image", uid or uid:gid in numbers, not ${whose}`, {
      field,
    });
  }
  if (!allowRoot && (user.uid === 0 || user.gid === 0)) {
    throw new BoxerError("user_not_allowed", `user ${text} is root, which this server does not allow`, {
      field,
    });
  }
  return user;
}

function parseUser(text: string): GuestUser | null {
  const [, uid, gid] = /^(\d{1,10})(?::(\d{1,10}))?$/.exec(text) ?? [];
  if (uid === undefined) return null;
  const user = { uid: Number(uid), gid: gid === undefined ? NOBODY.gid : Number(gid) };
  return user.uid <= MAX_ID && user.gid <= MAX_ID ? user : null;
}
