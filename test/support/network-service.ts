import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NetworkLab } from "./network-lab.ts";
import { PYTHON, provideImages, type RunAnswer } from "./service.ts";
import { ServiceProcess, writeServiceConfig } from "./service-process.ts";

const SCRIPTS = join(import.meta.dirname, "scripts");
const guestProgram = await readFile(join(SCRIPTS, "guest-network.py"), "utf8");

/** Where the lab's name server answers. */
export const NAME_SERVER = "51.20.0.2";

/** What a guest is to do; see guest-network.py. */
export type Action = { readonly do: string } & Readonly<Record<string, unknown>>;

/** What came of it. */
export interface Done {
  // biome-ignore lint/suspicious/noExplicitAny: each action has an answer of its own kind
  readonly ok?: any;
  readonly error?: string;
  readonly errno?: number;
}

/** An answer, and how long it took to come. */
export interface TimedAnswer extends RunAnswer {
  readonly ms: number;
}

/** A name server on a network of its own beside the lab's host. @param names see name-server.py */
export async function serveNames(lab: NetworkLab, names: readonly string[]): Promise<void> {
  await lab.run(
    ["ip", "-batch", "-"],
    `netns add names
link add names0 type veth peer name eth0 netns names
addr add 51.20.0.1/30 dev names0
link set names0 up
`,
  );
  await lab.run(
    ["ip", "-n", "names", "-batch", "-"],
    `link set lo up
addr add ${NAME_SERVER}/30 dev eth0
link set eth0 up
route add default via 51.20.0.1
`,
  );
  await lab.write("/proc/sys/net/ipv4/conf/names0/forwarding", "1");
  await lab.start("names", "python3", join(SCRIPTS, "name-server.py"), ...names);
}

/** The service as a process on the lab's host, which the test itself cannot reach by network. */
export class NetworkService {
  readonly home: string;
  readonly #lab: NetworkLab;
  readonly #config: string;
  readonly #wrapper: readonly string[];
  #process: ServiceProcess;

  private constructor(lab: NetworkLab, home: string, config: string, wrapper: readonly string[]) {
    this.#lab = lab;
    this.home = home;
    this.#config = config;
    this.#wrapper = wrapper;
    this.#process = this.#start();
  }

  /**
   * @param wrapper a command that is to start it on the lab's host, such as setpriv(1) with its options
   * @param provide gives its home the images
   */
  static async start(
    lab: NetworkLab,
    settings: Record<string, unknown> = {},
    wrapper: readonly string[] = [],
    provide: (home: string) => Promise<void> = provideImages,
  ): Promise<NetworkService> {
    const home = await mkdtemp(join(tmpdir(), "boxer-test-"));
    await provide(home);
    const config = await writeServiceConfig(home, {
      enable_forwarding: true,
      dns_servers: [NAME_SERVER],
      max_concurrent_runs: 16,
      max_reserved_memory_mb: 100_000,
      defaults: { wall_clock_secs: 120 },
      ...settings,
    });
    return new NetworkService(lab, home, config, wrapper);
  }

  get log(): string {
    return this.#process.log;
  }

  /** `POST /run` for each body. */
  async post(
    bodies: readonly Record<string, unknown>[],
    concurrency = bodies.length,
  ): Promise<TimedAnswer[]> {
    const url = `${await this.#process.url()}/run`;
    const posted = JSON.stringify({ url, concurrency, bodies });
    return JSON.parse(
      await this.#lab.run(["python3", join(SCRIPTS, "post-runs.py")], posted),
    ) as TimedAnswer[];
  }

  /** One run. */
  async run(body: Record<string, unknown>): Promise<RunAnswer> {
    const [answer] = await this.post([{ image: PYTHON, ...body }]);
    return answer ?? assert.fail();
  }

  /** What a guest can do, and the answer as a whole. */
  async act(actions: readonly Action[], body: Record<string, unknown> = {}) {
    const answer = await this.run(guestBody(actions, body));
    assert.equal(answer.status, 200, JSON.stringify(answer.body) + this.log);
    assert.equal(answer.body.exit_code, 0, JSON.stringify(answer.body));
    return { done: JSON.parse(answer.body.stdout) as Done[], answer: answer.body };
  }

  async readiness() {
    const url = `${await this.#process.url()}/readyz`;
    const program = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode())";
    return JSON.parse(await this.#lab.run(["python3", "-c", program, url]));
  }

  /** Kills it and starts the next one on the same home. */
  async killAndRestart(): Promise<void> {
    await this.#process.end("SIGKILL");
    this.#process = this.#start();
    await this.#process.url();
  }

  /** The directories that runs have, as they are seen from where it is. */
  async runDirectories(): Promise<string[]> {
    return (await this.#lab.run(["ls", join(this.home, "runs")])).split("\n").filter(Boolean);
  }

  /** Ends it; it must have given everything back. */
  async stop(): Promise<void> {
    const code = await this.#process.end("SIGTERM");
    await rm(this.home, { recursive: true, force: true });
    assert.equal(code, 0, this.log);
  }

  #start(): ServiceProcess {
    return new ServiceProcess(this.#config, [...this.#lab.prefix, ...this.#wrapper]);
  }
}

/** The body of a run that performs actions, on the network of a sandbox unless it says otherwise. */
export function guestBody(actions: readonly Action[], body: Record<string, unknown> = {}) {
  return {
    image: PYTHON,
    cmd: ["python3", "/guest-network.py"],
    inline_files: [{ path: "guest-network.py", content: guestProgram }],
    stdin: JSON.stringify(actions),
    network: "sandbox",
    ...body,
  };
}
