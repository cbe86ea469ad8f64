import { BoxerError } from "../core/errors.ts";

/**
 * Reads the body of a form, url-encoded or multipart, of bounded size.
 * @throws BoxerError `payload_too_large`, `invalid_request` for what is no form
 */
export async function readForm(request: Request, limit_bytes: number): Promise<FormData> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size > limit_bytes) {
      throw new BoxerError(
        "payload_too_large",
        `The form is larger than ${limit_bytes} bytes (request_limit_bytes)`,
      );
    }
    chunks.push(chunk);
  }
  const type = request.headers.get("content-type") ?? "";
  try {
    return await new Response(Buffer.concat(chunks), { headers: { "content-type": type } }).formData();
  } catch (error) {
    throw new BoxerError("invalid_request", "The form cannot be read", { cause: error });
  }
}
