import { BoxerError, messageOf } from "../../core/errors.ts";
import { printable } from "../printable.ts";

/**
 * Reads a JSON document of an image.
 * @param what what it is, for the message
 * @returns the value, and the text, which has the very bytes it came in
 * @throws BoxerError `image_invalid` with the bare reason
 */
export function parseDocument(what: string, bytes: Uint8Array): { content: unknown; text: string } {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return { content: JSON.parse(text), text };
  } catch (error) {
    throw new BoxerError("image_invalid", `the ${what} is not JSON: ${printable(messageOf(error))}`, {
      cause: error,
    });
  }
}
