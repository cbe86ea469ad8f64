import { BoxerError } from "../core/errors.ts";
import { quoted } from "../files/file-path.ts";

/**
 * The query parameters of a call, each percent-decoded once; undefined for those that are not there. Pure.
 * @param names all that the call takes
 * @throws BoxerError `invalid_request` when one comes twice or is unknown
 */
export function queryParameters<Name extends string>(
  url: string,
  names: readonly Name[],
): Record<Name, string | undefined> {
  const { searchParams } = new URL(url);
  const refuse = (message: string, field: string): never => {
    throw new BoxerError("invalid_request", message, { field });
  };
  for (const given of searchParams.keys()) {
    if (!names.some((name) => name === given)) refuse(`Unknown query parameter ${quoted(given)}`, given);
    if (searchParams.getAll(given).length > 1)
      refuse(`The query parameter ${given} is given more than once`, given);
  }
  const values = names.map((name) => [name, searchParams.get(name) ?? undefined]);
  return Object.fromEntries(values) as Record<Name, string | undefined>;
}

/**
 * The one query parameter that a call takes, percent-decoded once. Pure.
 * @throws BoxerError `invalid_request` when it is missing, comes twice, or is not alone
 */
export function queryParameter(url: string, name: string): string {
  const value = queryParameters(url, [name])[name];
  if (value !== undefined) return value;
  throw new BoxerError("invalid_request", `The query parameter ${name} is required`, { field: name });
}
