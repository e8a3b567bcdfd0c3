import { runService } from "@quorate/service/run";
import { loadFleetConfig } from "./config.ts";
import { startFleet } from "./start.ts";

await runService("fleet", async ({ env, logger }) => startFleet(loadFleetConfig(env), { logger }));
