import { join } from "node:path";
import { openDataDirectory } from "@quorate/service/data-directory";
import { createHttpApp } from "@quorate/service/http-app";
import { listen } from "@quorate/service/listen";
import type { Logger } from "@quorate/service/logger";
import { Metrics } from "@quorate/service/metrics";
import { maxAddCheckpointBytes } from "@quorate/tlog/witness-request";
import type { WitnessConfig } from "./config.ts";
import { createWitnessEvents } from "./events.ts";
import { addWitnessRoutes } from "./routes.ts";
import { WitnessStore } from "./witness-store.ts";

export type Witness = AsyncDisposable & { readonly url: string };

/** Starts a witness; disposing it finishes the requests under way. */
export async function startWitness(config: WitnessConfig, context: { logger: Logger; now?: () => number }): Promise<Witness> {
  const { dataDirectory, signer, logs } = config;
  if (signer.key.algorithm !== "cosignature") {
    throw new Error(`starting the witness: ${signer.key.name} is a key of a log; make one of the algorithm "cosignature"`);
  }
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await openDataDirectory({ path: dataDirectory, service: "witness", format: 1 }));
  const store = stack.use(new WitnessStore(join(directory.path, "witness.sqlite")));
  const metrics = new Metrics();
  const events = createWitnessEvents(context.logger, metrics);
  const app = createHttpApp({ logger: context.logger, metrics, bodyLimitBytes: maxAddCheckpointBytes });
  stack.defer(() => app.close());
  addWitnessRoutes(app, { store, signer, logs, events, now: context.now ?? Date.now });
  const url = await listen(app, config);
  events.started(url, signer.key.name, [...logs.keys()]);
  const owned = stack.move();
  return { url, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
