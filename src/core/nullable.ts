import Type, { type TSchema } from "typebox";

/** A schema that null fits as well. */
export function nullable<S extends TSchema>(schema: S, description: string) {
  return Type.Union([schema, Type.Null()], { description });
}

/** The schema of a field that may be absent or null. */
export function optional<S extends TSchema>(schema: S, description: string) {
  return Type.Optional(nullable(schema, description));
}
