import Type, { type TSchema } from "typebox";
import type { ErrorCode } from "../core/errors.ts";

/** A response in the OpenAPI document. */
export interface DocumentedResponse {
  description: string;
  content: Record<string, { schema: object; examples: Record<string, { value: unknown }> }>;
}

/** Documents a JSON response with one example. */
export function answer(description: string, schema: TSchema, example: unknown): DocumentedResponse {
  return answers(description, schema, { example });
}

/** Documents a JSON response with several examples, by their names. */
export function answers(
  description: string,
  schema: TSchema,
  examples: Readonly<Record<string, unknown>>,
): DocumentedResponse {
  const named = Object.entries(examples).map(([name, value]) => [name, { value }]);
  return { description, content: { "application/json": { schema, examples: Object.fromEntries(named) } } };
}

/** The body of an error. */
export const ErrorSchema = Type.Object({
  error: Type.String({ description: "What is wrong, for a person." }),
  code: Type.String({ description: "What is wrong, for a program; stable." }),
  field: Type.Optional(Type.String({ description: "The field at fault." })),
  exec_id: Type.Optional(Type.String({ description: "The run that failed." })),
  status: Type.Optional(Type.String({ description: "How that run is recorded; see `GET /runs`." })),
});

/** What pages of other sites are answered, and browsers that call this machine by a name of their own; see `guard`. */
export const crossSite = {
  cross_site:
    "Requests from pages of another site are refused; a browser on this machine has to call it localhost",
};

/** Documents an error response; `cases` gives an example message for each code. */
export function failure(description: string, cases: Partial<Record<ErrorCode, string>>): DocumentedResponse {
  const examples = Object.fromEntries(
    Object.entries(cases).map(([code, error]) => [code, { value: { error, code } }]),
  );
  return { description, content: { "application/json": { schema: ErrorSchema, examples } } };
}

/** Documents what calls that only read answer to pages whose name is pointed at this machine. */
export const reboundRead = failure(
  "A browser asks by a name that somebody has pointed at this machine (DNS rebinding).",
  crossSite,
);
