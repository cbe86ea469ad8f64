import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BoxerError } from "../../src/core/errors.ts";
import type { StagedFile } from "../../src/files/file-store.ts";
import { readUploadForm, type Stage } from "../../src/http/upload-form.ts";

const TYPE = "multipart/form-data; boundary=xx";
const FILE = part('name="file"; filename="f"', "contents");
const PATH = part('name="path"', "a/b");

function part(disposition: string, body: string, ...headers: string[]): string {
  const lines = [`content-disposition: form-data; ${disposition}`, ...headers];
  return `--xx\r\n${lines.join("\r\n")}\r\n\r\n${body}\r\n`;
}

const form = (...parts: string[]) => `${parts.join("")}--xx--\r\n`;

/** A stage that keeps what it gets, and counts what was begun and what was undone. */
function recordingStage(limit = 1e9) {
  const record = { texts: [] as string[], begun: 0, failed: 0, discarded: 0 };
  const stage: Stage = async (source) => {
    record.begun += 1;
    try {
      const chunks: Uint8Array[] = [];
      let size = 0;
      for await (const chunk of source) {
        chunks.push(chunk);
        size += chunk.byteLength;
        if (size > limit) throw new BoxerError("payload_too_large", "too large");
      }
      record.texts.push(Buffer.concat(chunks).toString());
      const discard = async () => {
        record.discarded += 1;
      };
      return { size_bytes: size, discard, keepAs: async (path) => path } satisfies StagedFile;
    } catch (error) {
      record.failed += 1;
      throw error;
    }
  };
  return { record, stage };
}

/** The reader of a body that arrives in pieces of some size. */
function arriving(body: string | Buffer, piece = 7): ReadableStreamDefaultReader<Uint8Array> {
  const bytes = Buffer.from(body);
  let position = 0;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      if (position >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(position, position + piece));
      position += piece;
    },
  }).getReader();
}

async function read(
  body: string | Buffer,
  options: { type?: string | null; piece?: number; limit?: number } = {},
) {
  const { record, stage } = recordingStage(options.limit);
  const { type = TYPE, piece, limit = 1e6 } = options;
  const { path } = await readUploadForm(type, arriving(body, piece), stage, limit);
  return { path, record };
}

/** Asserts that a form is refused, and that nothing of it stays staged. */
async function refuses(
  body: string | Buffer,
  expected: { code: string; field?: string; message?: string | RegExp },
  options: { type?: string | null; limit?: number } = {},
): Promise<void> {
  const { record, stage } = recordingStage(options.limit);
  const { type = TYPE, limit = 1e6 } = options;
  await assert.rejects(readUploadForm(type, arriving(body), stage, limit), expected);
  assert.equal(record.begun, record.failed + record.discarded);
}

describe("a form with file and path", () => {
  for (const piece of [1, 2, 7, 1000]) {
    test(`is read in either order, in pieces of ${piece} bytes`, async () => {
      for (const parts of [
        [FILE, PATH],
        [PATH, FILE],
      ]) {
        const { path, record } = await read(form(...parts), { piece });
        assert.equal(path, "a/b");
        assert.deepEqual(record.texts, ["contents"]);
        assert.equal(record.discarded, 0);
      }
    });
  }

  test("may have large contents", async () => {
    const text = "0123456789\r\n--x".repeat(50_000);
    const { record } = await read(form(part('name="file"; filename="f"', text), PATH), { piece: 65_536 });
    assert.ok(record.texts[0] === text);
  });

  test("may have no contents", async () => {
    assert.deepEqual((await read(form(part('name="file"; filename="f"', ""), PATH))).record.texts, [""]);
  });

  test("need not say that the file is one, and may describe the path as one", async () => {
    const plainFile = part('name="file"', "contents");
    const pathAsFile = part('name="path"; filename="blob"', "a/b", "content-type: application/octet-stream");
    const { path, record } = await read(form(pathAsFile, plainFile));
    assert.equal(path, "a/b");
    assert.deepEqual(record.texts, ["contents"]);
  });

  test("takes nothing from the file's own name", async () => {
    const { path } = await read(form(part('name="file"; filename="../../etc/passwd"', "x"), PATH));
    assert.equal(path, "a/b");
  });

  test("normalises the path", async () => {
    assert.equal((await read(form(part('name="path"', "./a//b/日本"), FILE))).path, "a/b/日本");
  });

  test("may have a preamble and an epilogue", async () => {
    assert.equal((await read(`preamble\r\n${form(FILE, PATH)}epilogue`)).path, "a/b");
  });

  test("may quote its boundary and spell its type as it likes", async () => {
    assert.equal((await read(form(FILE, PATH), { type: 'Multipart/Form-Data; boundary="xx"' })).path, "a/b");
  });
});

describe("a form is refused, and nothing of it kept,", () => {
  test("without a file", () =>
    refuses(form(PATH), { code: "invalid_request", field: "file", message: /no part file/ }));

  test("without a path", () =>
    refuses(form(FILE), { code: "invalid_request", field: "path", message: /no part path/ }));

  test("with nothing in it", () => refuses(form(), { code: "invalid_request" }));

  test("with two files", async () => {
    for (const parts of [
      [FILE, FILE, PATH],
      [PATH, FILE, FILE],
    ]) {
      await refuses(form(...parts), {
        code: "invalid_request",
        field: "file",
        message: /more than one part file/,
      });
    }
  });

  test("with two paths", () =>
    refuses(form(PATH, PATH, FILE), {
      code: "invalid_request",
      field: "path",
      message: /more than one part path/,
    }));

  test("with a part it does not know, by its name", async () => {
    const mode = part('name="mode"', "0755");
    for (const parts of [
      [mode, FILE, PATH],
      [FILE, mode, PATH],
      [FILE, PATH, mode],
    ]) {
      await refuses(form(...parts), { code: "invalid_request", field: "mode", message: /"mode"/ });
    }
  });

  test("with a part that has no name", () =>
    refuses(form(FILE, part("", "x"), PATH), { code: "invalid_request", message: /without a name/ }));

  for (const path of ["", "../x", "/x", "a\0b", "output/x", "./output", "x/../output"]) {
    test(`with the path ${JSON.stringify(path)}`, async () => {
      await refuses(form(part('name="path"', path), FILE), { code: "invalid_path", field: "path" });
      await refuses(form(FILE, part('name="path"', path)), { code: "invalid_path", field: "path" });
    });
  }

  test("with a path that is not UTF-8", () =>
    refuses(Buffer.from(form(FILE, part('name="path"', "caf\xe9")), "latin1"), {
      code: "invalid_path",
      field: "path",
      message: /not UTF-8/,
    }));

  test("with a path that is far too long", () =>
    refuses(form(FILE, part('name="path"', "x/".repeat(30_000))), {
      code: "invalid_path",
      field: "path",
      message: /too long/,
    }));

  test("with contents over the limit", () =>
    refuses(form(FILE, PATH), { code: "payload_too_large" }, { limit: 7 }));

  test("with more around the contents than any form needs", async () => {
    const filler = "x".repeat(100_000);
    const pathOfFiller = form(part('name="path"', filler), FILE);
    for (const body of [filler + form(FILE, PATH), form(FILE, PATH) + filler, pathOfFiller]) {
      await refuses(body, { code: "payload_too_large" }, { limit: 100 });
    }
  });

  test("that breaks off", async () => {
    const whole = form(FILE, PATH);
    for (const length of [
      0,
      1,
      10,
      whole.indexOf("contents") + 3,
      whole.indexOf("a/b") + 1,
      whole.length - 5,
    ]) {
      await refuses(whole.slice(0, length), { code: "invalid_request" });
    }
  });

  for (const type of [
    null,
    "",
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/mixed; boundary=xx",
    "xmultipart/form-data; boundary=xx",
  ]) {
    test(`of the type ${type}`, () =>
      refuses(
        form(FILE, PATH),
        { code: "unsupported_media_type", message: /multipart\/form-data/ },
        { type },
      ));
  }

  test("without a boundary", () =>
    refuses(
      form(FILE, PATH),
      { code: "invalid_request", message: /[Bb]oundary/ },
      { type: "multipart/form-data" },
    ));
});

test("the contents stop being staged when the client goes away", async () => {
  const { record, stage } = recordingStage();
  const bytes = Buffer.from(FILE.slice(0, -4));
  let sent = false;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (sent) throw new Error("connection lost");
      controller.enqueue(bytes);
      sent = true;
    },
  });
  await assert.rejects(readUploadForm(TYPE, body.getReader(), stage, 1e6), { code: "canceled" });
  assert.deepEqual([record.begun, record.failed, record.texts], [1, 1, []]);
});

test("a body is not read ahead of a slow disk", async () => {
  const { promise: disk, resolve: wake } = Promise.withResolvers<void>();
  let sent = 0;
  const chunk = Buffer.alloc(64 * 1024);
  const head = Buffer.from(FILE.slice(0, FILE.indexOf("contents")));
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (sent < 20_000_000) controller.enqueue(sent === 0 ? head : chunk);
      else {
        controller.enqueue(Buffer.from(`\r\n${form(PATH)}`));
        controller.close();
      }
      sent += chunk.length;
    },
  });
  const stage: Stage = async (source) => {
    await disk;
    let size_bytes = 0;
    for await (const part of source) size_bytes += part.byteLength;
    return { size_bytes, keepAs: async (path) => path, discard: async () => {} };
  };
  const reading = readUploadForm(TYPE, body.getReader(), stage, 1e9);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.ok(sent < 2_000_000, `${sent} bytes were read`);
  wake();
  assert.ok((await reading).file.size_bytes > 19_000_000);
});
