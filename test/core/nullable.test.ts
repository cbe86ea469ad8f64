import assert from "node:assert/strict";
import { test } from "node:test";
import Type from "typebox";
import { nullable, optional } from "../../src/core/nullable.ts";
import { compileSchema } from "../../src/core/schema.ts";

test("null fits beside the schema, absence only where the field is optional", () => {
  const count = Type.Integer({ minimum: 1 });
  const required = compileSchema(Type.Object({ count: nullable(count, "How many.") }));
  const lenient = compileSchema(Type.Object({ count: optional(count, "How many.") }));
  const values = [{ count: 1 }, { count: null }, {}, { count: 0 }, { count: "1" }];
  assert.deepEqual(values.map(required.fits), [true, true, false, false, false]);
  assert.deepEqual(values.map(lenient.fits), [true, true, true, false, false]);
  assert.match(JSON.stringify(optional(count, "How many.")), /"description":"How many\."/);
});
