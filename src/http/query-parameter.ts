import { BoxerError } from "../core/errors.ts";
import { quoted } from "../files/file-path.ts";

/**
 * The one query parameter that a call takes, percent-decoded once. Pure.
 * @throws BoxerError `invalid_request` when it is missing, comes twice, or is not alone
 */
export function queryParameter(url: string, name: string): string {
  const { searchParams } = new URL(url);
  const refuse = (message: string, field: string): never => {
    throw new BoxerError("invalid_request", message, { field });
  };
  for (const other of searchParams.keys()) {
    if (other !== name) refuse(`Unknown query parameter ${quoted(other)}`, other);
  }
  const [value, ...more] = searchParams.getAll(name);
  if (more.length > 0) refuse(`The query parameter ${name} is given more than once`, name);
  return value ?? refuse(`The query parameter ${name} is required`, name);
}
