import { join } from "node:path";
import { openDataDirectory } from "@quorate/service/data-directory";
import { createHttpApp } from "@quorate/service/http-app";
import { listen } from "@quorate/service/listen";
import type { Logger } from "@quorate/service/logger";
import { Metrics } from "@quorate/service/metrics";
import type { FleetConfig } from "./config.ts";
import { loadEnrolledHosts } from "./enrolled-hosts.ts";
import { createFleetEvents } from "./events.ts";
import { FleetStore } from "./fleet-store.ts";
import { addFleetRoutes, maxReportBytes } from "./routes.ts";

export type Fleet = AsyncDisposable & { readonly url: string };

/** Starts the service that an organisation's hosts report to; disposing it finishes the requests under way. */
export async function startFleet(config: FleetConfig, { logger, now = Date.now }: { logger: Logger; now?: () => number }): Promise<Fleet> {
  // Read again at each request; whoever starts the service hears of one that cannot be.
  await loadEnrolledHosts(config.hostsFile);
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await openDataDirectory({ path: config.dataDirectory, service: "fleet", format: 1 }));
  const store = stack.use(new FleetStore(join(directory.path, "fleet.sqlite"), config.silenceSeconds));
  const metrics = new Metrics();
  const events = createFleetEvents(logger, metrics);
  const app = createHttpApp({ logger, bodyLimitBytes: maxReportBytes });
  stack.defer(() => app.close());
  await addFleetRoutes(app, { config, store, events, metrics, now });
  const url = await listen(app, config);
  events.started(url);
  const owned = stack.move();
  return { url, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
