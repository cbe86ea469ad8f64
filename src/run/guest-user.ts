import { BoxerError } from "../core/errors.ts";
import type { ImageUser } from "../image/types.ts";
import { parseId } from "../image/user/numeric-user.ts";
import { type GuestUser, NOBODY } from "../sandbox/spec.ts";

const field = "user";

/**
 * Who the guest is: nobody, unless the request says otherwise. A group that nobody names is nobody's, where other
 * tools take root's. Pure.
 * @param requested `uid`, `uid:gid`, `image` for the image's own USER, or undefined
 * @param image whom the image's USER means
 * @param allowRoot whether the operator lets guests be root in their sandbox
 * @throws BoxerError `invalid_request` or `user_not_allowed`, naming `user`
 */
export function chooseUser(requested: string | undefined, image: ImageUser, allowRoot: boolean): GuestUser {
  if (requested === undefined) return NOBODY;
  const user = requested === "image" ? userOfImage(image) : parseUser(requested);
  if (!allowRoot && (user.uid === 0 || user.gid === 0)) {
    const text = requested === "image" ? `image (${user.uid}:${user.gid})` : requested;
    throw new BoxerError("user_not_allowed", `user ${text} is root, which this server does not allow`, {
      field,
    });
  }
  return user;
}

function userOfImage(image: ImageUser): GuestUser {
  if ("unknown" in image) {
    throw new BoxerError("invalid_request", `user is the image's USER, which nobody is: ${image.unknown}`, {
      field,
    });
  }
  return { uid: image.uid, gid: image.gid ?? NOBODY.gid };
}

function parseUser(text: string): GuestUser {
  const [user = "", group, ...others] = text.split(":");
  const [uid, gid] = [parseId(user), group === undefined ? NOBODY.gid : parseId(group)];
  if (uid !== undefined && gid !== undefined && others.length === 0) return { uid, gid };
  const message = `user must be "image", uid or uid:gid in numbers, not ${JSON.stringify(text)}`;
  throw new BoxerError("invalid_request", message, { field });
}
