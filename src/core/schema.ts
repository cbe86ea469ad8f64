import type { Static, TSchema } from "typebox";
import { Compile } from "typebox/compile";

/** A compiled TypeBox schema: unknown fields are refused and nothing is coerced. */
export interface Checker<T> {
  /** What is wrong with a value, the most telling complaint first, or null when it fits. */
  complain(value: unknown): Complaint | null;
  /** Narrows a value that fits. */
  fits(value: unknown): value is T;
}

/** One thing wrong with a value. */
export interface Complaint {
  /** Path of the field at fault, such as `limits.memory_mb` or `cmd[0]`; empty for the value as a whole. */
  field: string;
  /** What is wrong, naming the field, such as `limits.memory_mb must be >= 0`. */
  message: string;
}

type SchemaError = ReturnType<ReturnType<typeof Compile<TSchema>>["Errors"]>[number];

/** Compiles a schema once; the result is safe to share. */
export function compileSchema<S extends TSchema>(schema: S): Checker<Static<S>> {
  const validator = Compile(schema);
  return {
    fits: (value): value is Static<S> => validator.Check(value),
    complain(value) {
      if (validator.Check(value)) return null;
      const errors: SchemaError[] = validator.Errors(value);
      return describe(errors.find(isTelling) ?? errors[0]);
    },
  };
}

/** A union complains as a whole and once for each of its branches. */
function isTelling(error: SchemaError): boolean {
  if (error.keyword === "anyOf") return false;
  return !(error.keyword === "type" && error.schemaPath.includes("/anyOf/") && typeOf(error) === "null");
}

function typeOf(error: SchemaError): unknown {
  return (error.params as { type?: unknown }).type;
}

function describe(error: SchemaError | undefined): Complaint {
  if (!error) return { field: "", message: "value does not fit" };
  const field = fieldOf(error.instancePath);
  const params = error.params as Record<string, unknown>;
  const first = (key: string): string => String((params[key] as readonly string[] | undefined)?.[0]);
  switch (error.keyword) {
    case "required": {
      const missing = join(field, first("requiredProperties"));
      return { field: missing, message: `${missing} is required` };
    }
    case "boolean":
      // How a closed object complains of each field that it does not know.
      return complaint(field, "is not a known field");
    case "enum":
      return complaint(field, `must be one of ${(params.allowedValues as unknown[]).join(", ")}`);
    case "minItems":
    case "minLength":
      return complaint(field, "must not be empty");
    default:
      return complaint(field, error.message);
  }
}

function complaint(field: string, what: string): Complaint {
  return { field, message: `${field || "value"} ${what}` };
}

function join(parent: string, name: string): string {
  return parent ? `${parent}.${name}` : name;
}

/** RFC 6901 pointer to the usual notation: `/files/0/path` becomes `files[0].path`. */
function fieldOf(pointer: string): string {
  return pointer
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
    .reduce((path, part) => (/^\d+$/.test(part) ? `${path}[${part}]` : join(path, part)), "");
}
