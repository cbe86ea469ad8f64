import { createLog } from "../../../src/core/log.ts";

const log = createLog();
log.info({ exec_id: "boxer-1" }, "first");
log.error({ err: new Error("broken") }, "second");
process.exit(0);
