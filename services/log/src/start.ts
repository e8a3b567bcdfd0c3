import { createHttpApp } from "@quorate/service/http-app";
import { listen } from "@quorate/service/listen";
import { addLogRoutes } from "@quorate/service/log-routes";
import type { Logger } from "@quorate/service/logger";
import { Metrics } from "@quorate/service/metrics";
import type { LogConfig } from "./config.ts";
import { createLogEvents } from "./events.ts";
import { openLog } from "./open-log.ts";
import { openStores } from "./open-stores.ts";
import { policyWitnesses } from "./policy-witnesses.ts";
import { Pool } from "./pool.ts";
import { Publisher } from "./publisher.ts";
import { addAppendRoutes } from "./routes.ts";
import { Sequencer } from "./sequencer.ts";

export type Log = AsyncDisposable & { readonly url: string };

export type LogContext = {
  readonly logger: Logger;
  /** Called when the log cannot go on and must be started anew. */
  readonly fail: (error: unknown) => void;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  /** Ends the wait for another process that has the log. */
  readonly signal?: AbortSignal;
};

/** Starts the log. Disposing it refuses new entries, finishes those under way and makes the tiles durable. */
export async function startLog(config: LogConfig, context: LogContext): Promise<Log> {
  const { signer, policy, witnessMilliseconds, batchMilliseconds: paceMilliseconds } = config;
  const { logger, fail, now = Date.now, signal } = context;
  const metrics = new Metrics();
  const events = createLogEvents(logger, metrics);
  const witnesses = policyWitnesses(policy, signer.key, events);

  await using stack = new AsyncDisposableStack();
  const stores = stack.use(await openStores(config, { events, fail, signal }));
  const { lock, lockCheck, store, staging, records } = stores;
  const { edge, head, newest, published } = await openLog(stores, { ...config, now, events });
  await (
    await staging.rotate()
  ).retired;

  const publisher = new Publisher(
    { staging, store, logKey: signer.key, policy, witnesses, witnessMilliseconds, paceMilliseconds, events, fail },
    { newest, published },
  );
  const pool = new Pool();
  const onSigned = publisher.offer.bind(publisher);
  const sequencer = new Sequencer({ pool, staging, lock, store, signers: config, events, now, onSigned, fail }, { edge, head });

  const readiness = {
    lockStore: async () => {
      if (lockCheck.problem !== undefined) throw new Error(`the lock store is damaged: ${lockCheck.problem}`);
    },
    witnesses: async () => {
      if (!publisher.confirmed) throw new Error("the quorum of witnesses has not answered since the start");
    },
  };
  const app = createHttpApp({ logger, metrics, readiness });
  const dependencies = { underWay: new Map(), pool, lock, lockCheck, sequencer, publisher, store, events };
  addAppendRoutes(app, config.token, dependencies);
  addLogRoutes(app, { files: store, published: () => publisher.published });
  // Undone from the last: no new requests and none under way, no batch under way, no round of witnesses, tiles durable.
  stack.defer(async () => {
    if (!sequencer.failed) await (await staging.rotate()).retired;
  });
  stack.defer(() => sequencer.idle());
  stack.defer(async () => {
    const closed = app.close();
    await sequencer.idle();
    await publisher[Symbol.asyncDispose]();
    await closed;
  });
  const url = await listen(app, config);
  events.started({
    url,
    origin: signer.key.name,
    size: edge.size,
    published: published?.checkpoint.size,
    stagedRecords: records.length,
  });
  publisher.start();
  const owned = stack.move();
  return { url, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
