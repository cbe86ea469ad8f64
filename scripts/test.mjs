// `npm test`: installs what is missing, then runs every check and test. Arguments are paths to run only those.
import { ensureDependencies } from "./setup/dependencies.mjs";
import { ROOT, runBun } from "./setup/run-bun.mjs";

process.chdir(ROOT);
await ensureDependencies(ROOT, { dev: true });
process.exitCode = await runBun("scripts/test.ts", process.argv.slice(2));
