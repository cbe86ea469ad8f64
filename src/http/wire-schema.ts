import type { Static, TSchema } from "typebox";
import { BoxerError } from "../core/errors.ts";
import { compileSchema } from "../core/schema.ts";

/** A TypeBox schema in the form that Elysia takes from any validator (the Standard Schema interface). */
export interface WireSchema<T> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: "typebox";
    readonly validate: (value: unknown) => { value: T };
    readonly types?: { readonly input: T; readonly output: T };
  };
  /** The JSON Schema, for the OpenAPI document. */
  readonly schema: TSchema;
}

/**
 * Makes a schema that neither coerces nor strips, unlike Elysia's own.
 * Validation throws BoxerError `invalid_request` with the field's name.
 */
export function wireSchema<S extends TSchema>(schema: S): WireSchema<Static<S>> {
  const checker = compileSchema(schema);
  const validate = (value: unknown): { value: Static<S> } => {
    const complaint = checker.complain(value);
    if (complaint) throw new BoxerError("invalid_request", complaint.message, { field: complaint.field });
    return { value: value as Static<S> };
  };
  return { "~standard": { version: 1, vendor: "typebox", validate }, schema };
}
