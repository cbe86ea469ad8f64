import process from "node:process";
import { main } from "./cli.ts";
import { denoPlatform } from "./platform/deno.ts";

process.exit(await main(process.argv.slice(2), denoPlatform));
