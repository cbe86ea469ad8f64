import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A shell script in runsc's place that notes how it was called. */
export interface FakeRunsc {
  readonly path: string;
  /** The arguments and the config.json of each call so far. */
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever part of config.json it is about
  calls(): Promise<{ argv: string[]; spec: any }[]>;
}

/**
 * Makes a program that takes the options of runsc and then does what a script says.
 * @param directory where it lives; holds nothing of another one
 * @param behaviour shell commands; `$call` counts the calls from 1, `$log`, `$panic_log`, `$pid_file`, `$root`, `$bundle` are the
 *   paths given
 */
export async function fakeRunsc(directory: string, behaviour: string): Promise<FakeRunsc> {
  const path = join(directory, "runsc");
  const script = `#!/bin/sh
cd ${directory}
echo call >> calls
call=$(grep -c call calls)
for option in "$@"; do
  case $option in
    --log=*) log=\${option#*=} ;;
    --panic-log=*) panic_log=\${option#*=} ;;
    --root=*) root=\${option#*=} ;;
    --pid-file=*) pid_file=\${option#*=} ;;
    --bundle=*) bundle=\${option#*=} ;;
  esac
done
printf '%s\\n' "$@" > argv.$call
cp "$bundle/config.json" config.$call
${behaviour}
`;
  await writeFile(path, script, { mode: 0o755 });
  return {
    path,
    async calls() {
      const count = (await readFile(join(directory, "calls"), "utf8").catch(() => "")).split("\n").length - 1;
      return Promise.all(
        Array.from({ length: count }, async (_, index) => ({
          argv: (await readFile(join(directory, `argv.${index + 1}`), "utf8")).trimEnd().split("\n"),
          spec: JSON.parse(await readFile(join(directory, `config.${index + 1}`), "utf8")),
        })),
      );
    },
  };
}
