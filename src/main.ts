import { main } from "./cli.ts";
import { bunPlatform } from "./platform/bun.ts";

process.exit(await main(process.argv.slice(2), bunPlatform));
