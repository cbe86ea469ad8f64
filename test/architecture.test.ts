import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const SRC = fileURLToPath(new URL("../src", import.meta.url));
const MAX_LINES = 260;

/** For each room: the other rooms that its files may import. The entries lie beside them in `src/`. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  core: [],
  config: ["core"],
  platform: ["core"],
  network: ["platform", "config", "core"],
  sandbox: ["platform", "config", "core"],
  image: ["platform", "config", "core"],
  files: ["platform", "config", "core"],
  run: ["sandbox", "network", "image", "files", "platform", "config", "core"],
  http: ["run", "sandbox", "image", "files", "platform", "config", "core"],
  dashboard: ["run", "sandbox", "image", "files", "platform", "config", "core"],
  compose: ["http", "dashboard", "run", "sandbox", "network", "image", "files", "platform", "config", "core"],
  cli: ["compose", "run", "sandbox", "network", "image", "files", "platform", "config", "core"],
  main: ["cli", "compose", "platform"],
  "main.deno": ["cli", "compose", "platform"],
};
const ENTRIES = ["main", "main.deno"];
const MAY_IMPORT_ELYSIA = ["http", "dashboard", ...ENTRIES];

interface SourceFile {
  /** Relative to `src/`. */
  readonly path: string;
  /** See {@link roomOf}. */
  readonly room: string;
  readonly lines: number;
  /** Module specifiers of static and dynamic imports, re-exports and `import()` types. */
  readonly imports: readonly string[];
  /** Every identifier, names of properties included: `globalThis.Bun` names a runtime as well. */
  readonly identifiers: ReadonlySet<string>;
}

const files = await Promise.all((await typescriptFilesIn(SRC)).map(readSource));

async function typescriptFilesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

async function readSource(absolute: string): Promise<SourceFile> {
  const text = await readFile(absolute, "utf8");
  const path = relative(SRC, absolute);
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const imports: string[] = [];
  const identifiers = new Set<string>();
  const visit = (node: ts.Node): void => {
    const specifier = specifierOf(node);
    if (specifier !== undefined) imports.push(specifier);
    if (ts.isIdentifier(node)) identifiers.add(node.text);
    ts.forEachChild(node, visit);
  };
  visit(tree);
  const lines = text.trimEnd().split("\n").length;
  return {
    path,
    room: roomOf(path),
    lines,
    imports,
    identifiers,
  };
}

/** The first folder. Files in none are rooms of their own, and `cli-x.ts` belongs to `cli.ts`, as `compose-x.ts` to `compose.ts`. */
function roomOf(path: string): string {
  const [first = "", ...rest] = path.split("/");
  return rest.length > 0 ? first : first.replace(/\.tsx?$/, "").replace(/^(cli|compose)-.*/, "$1");
}

function specifierOf(node: ts.Node): string | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return textOf(node.moduleSpecifier);
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    return textOf(node.arguments[0]) ?? "a computed import";
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) return textOf(node.argument.literal);
  return undefined;
}

function textOf(node: ts.Node | undefined): string | undefined {
  return node && ts.isStringLiteralLike(node) ? node.text : undefined;
}

/** The room that a relative import leads to; undefined for one that stays or leads out of `src/`. */
function targetRoom(file: SourceFile, specifier: string): string | undefined {
  const target = relative(SRC, join(SRC, dirname(file.path), specifier));
  if (target.startsWith("..")) return undefined;
  const room = roomOf(target);
  return room === file.room ? undefined : room;
}

test("the rules are tried on real files", () => {
  assert.ok(files.length > 50, `${files.length} files`);
  const runner = files.find(({ path }) => path === "run/runner.ts");
  assert.ok(runner?.imports.includes("../core/errors.ts"));
  assert.ok(runner?.identifiers.has("randomUUID"));
});

test("every file lies in a known room", () => {
  const strangers = files.filter(({ room }) => !(room in MAY_IMPORT)).map(({ path }) => path);
  assert.deepEqual(strangers, []);
});

test("imports go down, never up nor sideways", () => {
  const wrong = files.flatMap((file) =>
    file.imports
      .filter((specifier) => specifier.startsWith("."))
      .map((specifier) => targetRoom(file, specifier))
      .filter((room) => room !== undefined && !MAY_IMPORT[file.room]?.includes(room))
      .map((room) => `${file.path} imports ${room}`),
  );
  assert.deepEqual(wrong, []);
});

test("relative imports name their file in full", () => {
  const wrong = files.flatMap(({ path, imports }) =>
    imports
      .filter((specifier) => specifier.startsWith(".") && !/\.(ts|tsx|json)$/.test(specifier))
      .map((specifier) => `${path} imports ${specifier}`),
  );
  assert.deepEqual(wrong, []);
});

test("only the rooms that speak HTTP import elysia", () => {
  const wrong = files
    .filter(({ imports }) => imports.some((specifier) => /^(elysia|@elysiajs)(\/|$)/.test(specifier)))
    .filter(({ room }) => !MAY_IMPORT_ELYSIA.includes(room))
    .map(({ path }) => path);
  assert.deepEqual(wrong, []);
});

test("only the platform's own files and the entries name a runtime", () => {
  const isRuntimeModule = (specifier: string) =>
    /^(bun|deno|jsr)(:|$)/.test(specifier) || specifier.startsWith("npm:");
  const wrong = files
    .filter(({ path, room }) => !/^platform\/(bun|deno)[^/]*\.ts$/.test(path) && !ENTRIES.includes(room))
    .flatMap(({ path, imports, identifiers }) =>
      [...imports.filter(isRuntimeModule), ...["Bun", "Deno"].filter((name) => identifiers.has(name))].map(
        (name) => `${path} names ${name}`,
      ),
    );
  assert.deepEqual(wrong, []);
});

test("only the platform's own files start processes", () => {
  const reserved = ["node:child_process", "child_process", "node:cluster", "cluster"];
  const wrong = files
    .filter(({ path }) => !/^platform\/(bun|deno)[^/]*\.ts$/.test(path))
    .flatMap(({ path, imports }) =>
      imports
        .filter((specifier) => reserved.includes(specifier))
        .map((specifier) => `${path} imports ${specifier}`),
    );
  assert.deepEqual(wrong, []);
});

test("only the entries choose the implementation of a platform", () => {
  const wrong = files
    .filter(({ room }) => room !== "platform" && !ENTRIES.includes(room))
    .filter(({ imports }) => imports.some((specifier) => /platform\/(bun|deno)[^/]*\.ts$/.test(specifier)))
    .map(({ path }) => path);
  assert.deepEqual(wrong, []);
});

test(`no file is longer than ${MAX_LINES} lines`, () => {
  const long = files.filter(({ lines }) => lines > MAX_LINES).map(({ path, lines }) => `${path}: ${lines}`);
  assert.deepEqual(long, []);
});
