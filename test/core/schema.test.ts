import assert from "node:assert/strict";
import { describe, test } from "node:test";
import Type from "typebox";
import { compileSchema } from "../../src/core/schema.ts";

const closed = { additionalProperties: false };
const nullable = <S extends Type.TSchema>(schema: S) => Type.Optional(Type.Union([schema, Type.Null()]));

const checker = compileSchema(
  Type.Object(
    {
      cmd: Type.Array(Type.String(), { minItems: 1 }),
      name: Type.Optional(Type.String({ minLength: 1 })),
      mode: Type.Optional(Type.Enum(["none", "host"])),
      nullable_mode: nullable(Type.Enum(["none", "host"])),
      env: nullable(Type.Array(Type.String())),
      files: nullable(Type.Array(Type.Object({ path: Type.String({ minLength: 1 }) }, closed))),
      limits: nullable(
        Type.Object({ memory_mb: nullable(Type.Integer({ minimum: 0, maximum: 9 })) }, closed),
      ),
      mirrors: Type.Optional(Type.Record(Type.String(), Type.Array(Type.String()))),
    },
    closed,
  ),
);

/** A value that fits, with fields replaced. */
const fitting = (fields: Record<string, unknown> = {}) => ({ cmd: ["true"], ...fields });

describe("a value that fits", () => {
  const values: [string, unknown][] = [
    ["with its required fields only", fitting()],
    [
      "with null in every nullable field",
      fitting({ env: null, files: null, limits: null, nullable_mode: null }),
    ],
    ["with null inside a nested object", fitting({ limits: { memory_mb: null } })],
    [
      "with every field",
      fitting({ name: "x", mode: "host", env: [], files: [{ path: "a" }], mirrors: { a: ["b"] } }),
    ],
  ];
  for (const [name, value] of values) {
    test(`${name} has no complaint`, () => {
      assert.equal(checker.complain(value), null);
      assert.equal(checker.fits(value), true);
    });
  }
});

describe("the complaint names the field at fault", () => {
  const cases: [unknown, string, string][] = [
    [fitting({ cmd: undefined }), "cmd", "cmd must be array"],
    [{}, "cmd", "cmd is required"],
    [fitting({ cmd: [] }), "cmd", "cmd must not be empty"],
    [fitting({ cmd: "true" }), "cmd", "cmd must be array"],
    [fitting({ cmd: ["a", 1] }), "cmd[1]", "cmd[1] must be string"],
    [fitting({ name: "" }), "name", "name must not be empty"],
    [fitting({ name: 3 }), "name", "name must be string"],
    [fitting({ mode: "x" }), "mode", "mode must be one of none, host"],
    [fitting({ nullable_mode: 1 }), "nullable_mode", "nullable_mode must be one of none, host"],
    [fitting({ env: "A=b" }), "env", "env must be array"],
    [fitting({ env: ["A=b", null] }), "env[1]", "env[1] must be string"],
    [fitting({ files: {} }), "files", "files must be array"],
    [fitting({ files: [{ path: "a" }, {}] }), "files[1].path", "files[1].path is required"],
    [fitting({ files: [{ path: "" }] }), "files[0].path", "files[0].path must not be empty"],
    [fitting({ files: [{ path: "a", mode: 1 }] }), "files[0].mode", "files[0].mode is not a known field"],
    [fitting({ limits: [] }), "limits", "limits must be object"],
    [fitting({ limits: { memory_mb: -1 } }), "limits.memory_mb", "limits.memory_mb must be >= 0"],
    [fitting({ limits: { memory_mb: 10 } }), "limits.memory_mb", "limits.memory_mb must be <= 9"],
    [fitting({ limits: { memory_mb: 1.5 } }), "limits.memory_mb", "limits.memory_mb must be integer"],
    [fitting({ limits: { memory_mb: Number.NaN } }), "limits.memory_mb", "limits.memory_mb must be integer"],
    [fitting({ limits: { memory: 1 } }), "limits.memory", "limits.memory is not a known field"],
    [fitting({ mirrors: { "a/b~c": "x" } }), "mirrors.a/b~c", "mirrors.a/b~c must be array"],
    [fitting({ "a/b~c.d": 1 }), "a/b~c.d", "a/b~c.d is not a known field"],
    [fitting({ toString: 1 }), "toString", "toString is not a known field"],
    [JSON.parse('{"cmd":["a"],"__proto__":1}'), "__proto__", "__proto__ is not a known field"],
  ];
  for (const [value, field, message] of cases) {
    test(message, () => {
      assert.deepEqual(checker.complain(value), { field, message });
      assert.equal(checker.fits(value), false);
    });
  }
});

for (const value of [null, 1, "x", [], undefined]) {
  test(`a value that is ${JSON.stringify(value)} is refused as a whole`, () => {
    assert.deepEqual(checker.complain(value), { field: "", message: "value must be object" });
  });
}

test("nothing is coerced", () => {
  assert.equal(checker.fits(fitting({ limits: { memory_mb: "3" } })), false);
  assert.equal(checker.fits(fitting({ name: 3 })), false);
});

test("nothing is stripped or filled in", () => {
  const value = fitting({ env: null });
  checker.complain(value);
  assert.deepEqual(value, { cmd: ["true"], env: null });
});

test("of many unknown fields the first is named, however many there are", () => {
  for (const count of [1, 2, 7, 8, 9, 100]) {
    const unknown = Object.fromEntries(Array.from({ length: count }, (_, index) => [`field${index}`, 1]));
    const message = "field0 is not a known field";
    assert.deepEqual(
      checker.complain(fitting(unknown)),
      { field: "field0", message },
      `${count} unknown fields`,
    );
  }
});
