import { runService } from "@quorate/service/run";
import { loadWitnessConfig } from "./config.ts";
import { startWitness } from "./start.ts";

await runService("witness", async ({ env, logger }) => startWitness(await loadWitnessConfig(env), { logger }));
