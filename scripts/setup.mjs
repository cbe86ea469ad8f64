// `npm run setup`: installs what is missing and stops. Arguments are those of the server.
import { ensureDependencies } from "./setup/dependencies.mjs";
import { ROOT, runBun } from "./setup/run-bun.mjs";

await ensureDependencies(ROOT, { dev: false });
process.exitCode = await runBun("scripts/setup.ts", process.argv.slice(2));
