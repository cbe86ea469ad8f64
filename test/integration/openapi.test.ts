import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { validate } from "@readme/openapi-parser";
import { Validator } from "@seriousme/openapi-schema-validator";
import type { TSchema } from "typebox";
import { compileSchema } from "../../src/core/schema.ts";
import { startTestService, type TestService } from "../support/service.ts";

/** What of the document holds a schema: a body of some type, or a parameter. */
interface Described {
  readonly schema?: TSchema & { readonly examples?: readonly unknown[] };
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}

interface Operation {
  readonly parameters?: readonly (Described & { readonly name: string })[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Described>> };
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, Described>> }>>;
}

describe("the OpenAPI document that is served", () => {
  let service: TestService;
  let text: string;
  before(async () => {
    service = await startTestService();
    const response = await service.fetch("/swagger/json");
    assert.match(response.headers.get("content-type") ?? "", /^application\/json/);
    text = await response.text();
  });
  after(() => service.stop());

  // Both change what they are given.
  const document = () => JSON.parse(text);

  it("fits the schema of OpenAPI 3.1", async () => {
    const validator = new Validator();
    assert.deepEqual(await validator.validate(document()), { valid: true });
    assert.equal(validator.version, "3.1");
  });

  it("fits the specification of OpenAPI as another reads it, without a warning", async () => {
    assert.deepEqual(await validate(document()), { valid: true, warnings: [], specification: "OpenAPI" });
  });

  it("has a schema for every body and parameter, and no example that does not fit it", () => {
    let examples = 0;
    for (const [name, { schema, examples: named = {} }] of describedIn(document().paths)) {
      assert.ok(schema, `${name} has no schema`);
      const checker = compileSchema(schema);
      const values = [...Object.values(named).map(({ value }) => value), ...(schema.examples ?? [])];
      for (const value of values) {
        assert.equal(checker.complain(value), null, `${name}: ${JSON.stringify(value)}`);
        examples += 1;
      }
    }
    assert.ok(examples > 100, `${examples}`);
  });
});

/** All that holds a schema, with a name that says where. */
function describedIn(paths: Record<string, Record<string, Operation>>): [string, Described][] {
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([method, { parameters = [], requestBody, responses }]) => {
      const bodies = [["request", requestBody] as const, ...Object.entries(responses)].flatMap(
        ([what, body]) =>
          Object.entries(body?.content ?? {}).map(
            ([type, described]) => [`${what} ${type}`, described] as const,
          ),
      );
      return [...bodies, ...parameters.map((each) => [`parameter ${each.name}`, each] as const)].map(
        ([what, described]): [string, Described] => [`${method} ${path}, ${what}`, described],
      );
    }),
  );
}
