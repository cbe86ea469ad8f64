// `npm run test:vm`: installs what is missing, then runs the tests of limits in a virtual machine. Arguments are paths.
import { ensureDependencies } from "../setup/dependencies.mjs";
import { ROOT, runBun } from "../setup/run-bun.mjs";

process.chdir(ROOT);
await ensureDependencies(ROOT, { dev: true });
process.exitCode = await runBun("scripts/vm/main.ts", process.argv.slice(2));
