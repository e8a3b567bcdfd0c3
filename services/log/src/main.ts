import { runService } from "@quorate/service/run";
import { loadLogConfig } from "./config.ts";
import { startLog } from "./start.ts";

await runService("log", async ({ env, logger, fail }) => startLog(await loadLogConfig(env), { logger, fail }));
