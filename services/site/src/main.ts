import { runService } from "@quorate/service/run";
import { loadSiteConfig } from "./config.ts";
import { startSite } from "./start.ts";

await runService("site", async ({ env, logger }) => startSite(await loadSiteConfig(env), { logger }));
