import { messageOf } from "../src/core/errors.ts";
import { loadSettings } from "./setup/load-settings.ts";
import { Progress } from "./setup/progress.ts";
import { setUp } from "./setup/set-up.ts";

// What is made here is read by sandboxes, which have another uid.
process.umask(0o022);
try {
  await setUp(
    await loadSettings(process.argv.slice(2)),
    new Progress((line) => process.stderr.write(`${line}\n`)),
    { fixtures: false },
  );
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
}
