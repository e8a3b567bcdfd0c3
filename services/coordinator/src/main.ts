import { runService } from "@quorate/service/run";
import { parseCoordinatorConfig } from "./config.ts";
import { startCoordinator } from "./start.ts";

await runService("coordinator", ({ env, logger }) => startCoordinator(parseCoordinatorConfig(env), { logger }));
