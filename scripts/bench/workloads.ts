import { BUSYBOX, PYTHON } from "../../test/support/service.ts";

/** A program to run, and what must come of it. */
export interface Workload {
  readonly name: string;
  readonly image: string;
  readonly cmd: readonly [string, ...string[]];
  /** Input files by the path below `/` at which the guest finds them. */
  readonly files: Readonly<Record<string, string>>;
  readonly stdout_bytes: number;
  /** Files that it leaves in /output. */
  readonly outputs: number;
}

const LINES = 5120;
const LINE_BYTES = 1024;
const IMPORTS = "json,re,os,sys,math,random,datetime,collections,itertools,functools,decimal,typing";

export const ECHO: Workload = {
  name: "echo",
  image: BUSYBOX,
  cmd: ["echo", "hello"],
  files: {},
  stdout_bytes: 6,
  outputs: 0,
};

export const PRINT_42: Workload = {
  name: "python print(42)",
  image: PYTHON,
  cmd: ["python3", "-c", "print(42)"],
  files: {},
  stdout_bytes: 3,
  outputs: 0,
};

export const WORKLOADS: readonly Workload[] = [
  ECHO,
  PRINT_42,
  { ...PRINT_42, name: "python, a dozen imports", cmd: ["python3", "-c", `import ${IMPORTS};print(42)`] },
  {
    name: "3 files in, 2 out",
    image: BUSYBOX,
    cmd: ["sh", "-c", "cat /in/a /in/b > /output/ab; cat /in/c > /output/c; echo done"],
    files: { "in/a": "a".repeat(4096), "in/b": "b".repeat(4096), "in/c": "c".repeat(65_536) },
    stdout_bytes: 5,
    outputs: 2,
  },
  {
    ...PRINT_42,
    name: "5 MB of stdout",
    cmd: [
      "python3",
      "-c",
      `import sys;sys.stdout.write(("x"*${LINE_BYTES - 1}+"\\n")*${LINES});sys.stdout.flush()`,
    ],
    stdout_bytes: LINES * LINE_BYTES,
  },
];
