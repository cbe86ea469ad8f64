import type { NetworkHost } from "../../src/network/host-tools.ts";

/** A call of a tool, by its name and arguments. */
export interface ToolCall {
  readonly command: string;
  readonly script: string;
}

/** A host made up of files, and of what tools answer; notes what is asked of it. */
export class FakeNetworkHost implements NetworkHost {
  readonly calls: ToolCall[] = [];
  readonly files: Record<string, string>;
  /** Answers a command, or throws. */
  answer: (call: ToolCall) => string | Promise<string> = () => "";

  constructor(files: Record<string, string> = {}) {
    this.files = files;
  }

  /** What was run whose command contains a text. */
  scriptsOf(part: string): string[] {
    return this.calls.filter(({ command }) => command.includes(part)).map(({ script }) => script);
  }

  async run(argv: readonly string[], script = ""): Promise<string> {
    const call = { command: argv.join(" ").replace(/^\S*\//, ""), script };
    this.calls.push(call);
    return this.answer(call);
  }

  async read(path: string): Promise<string> {
    const text = this.files[path];
    if (text === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: "ENOENT" });
    return text;
  }

  async write(path: string, text: string): Promise<void> {
    this.files[path] = text;
  }
}
