import { runService } from "@quorate/service/run";
import { loadLogConfig } from "./config.ts";
import { startLog } from "./start.ts";

await runService("log", async ({ env, ...context }) => startLog(await loadLogConfig(env), context));
