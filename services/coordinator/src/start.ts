import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArchives } from "@quorate/archive/archive-config";
import { createTargetResolver } from "@quorate/archive/resolve-target";
import { openDataDirectory } from "@quorate/service/data-directory";
import type { Logger } from "@quorate/service/logger";
import { Metrics } from "@quorate/service/metrics";
import { loadVerifier } from "@quorate/signing/verifier";
import { openBlobStore } from "./blob-store.ts";
import { createRoundChanges } from "./changes.ts";
import type { CoordinatorConfig } from "./config.ts";
import { createConsoleActions } from "./console/console-actions.ts";
import { type ConsoleOptions, startConsole } from "./console/start-console.ts";
import { openDatabase } from "./database.ts";
import { createEvents } from "./events.ts";
import { createLiveBoard } from "./live-board.ts";
import { createPolicyTurns } from "./policy-turns.ts";
import { createProjectTokens } from "./project-tokens.ts";
import { createUploadTickets, loadTicketSecret } from "./upload-ticket.ts";
import { openLog } from "./open-log.ts";
import { openTransport } from "./open-transport.ts";
import { runRounds } from "./run-rounds.ts";
import { openWebhooks } from "./webhooks/open-webhooks.ts";
import { serveApi } from "./serve-api.ts";

export type CoordinatorOptions = {
  logger: Logger;
  /** A worker that is not heard of for this long is silent; default 120. */
  silenceSeconds?: number;
  /** How often due rounds and unfinished statements are looked for, and reveals asked for again; default 2000. */
  sweepMilliseconds?: number;
  /** How long after each attempt that failed a webhook's message is sent again; default over two days. */
  webhookRetryMilliseconds?: readonly number[];
};

/** A running coordinator: where its API listens, and its console if it has one. */
export type Coordinator = AsyncDisposable & { readonly url: string; readonly consoleUrl?: string | undefined };

/** Starts a coordinator: everything that was under way goes on from what the database holds. */
export async function startCoordinator(config: CoordinatorConfig, options: CoordinatorOptions): Promise<Coordinator> {
  await using resources = new AsyncDisposableStack();
  const now = () => new Date();
  const { logger, silenceSeconds = 120, sweepMilliseconds: everyMilliseconds = 2000 } = options;
  const metrics = new Metrics();
  const events = createEvents(logger, metrics);
  const { path: dataDirectory } = resources.use(
    await openDataDirectory({ path: config.COORDINATOR_DATA_DIR, service: "coordinator", format: 1 }),
  );
  const { db } = resources.use(await openDatabase({ url: config.DATABASE_URL, onError: events.databaseFailed }));
  const blobs = await openBlobStore(join(dataDirectory, "blobs"));
  const tickets = createUploadTickets(await loadTicketSecret(dataDirectory));
  const network = await openLog(config, { db, blobs });
  const { authorities, verify } = await loadAuthorities(config.SIGSTORE_TRUSTED_ROOT_FILE);
  const archives = parseArchives(await readFile(config.ARCHIVES_FILE, "utf8"));
  const resolver = await createTargetResolver({ archives, cacheDirectory: join(dataDirectory, "archive") });
  const tokens = createProjectTokens({ db, now });
  await tokens.keepFirst(config.API_TOKEN);
  const webhooks = resources.use(
    openWebhooks({
      db,
      addresses: config.WEBHOOK_ADDRESSES,
      events,
      now,
      everyMilliseconds,
      retryMilliseconds: options.webhookRetryMilliseconds,
    }),
  );
  const transport = resources.use(await openTransport(config, { db, events, everyMilliseconds, now }));
  const heard = { board: createLiveBoard(), silenceSeconds, listeningSince: now() };
  const kept = { db, blobs, tickets, policyTurns: createPolicyTurns(), changes: createRoundChanges(), verify, events, now };
  const rounds = resources.use(await runRounds(config, { ...kept, ...heard, network, transport, everyMilliseconds }));
  const serving = {
    ...kept,
    board: heard.board,
    logger,
    metrics,
    network,
    transport,
    rounds,
    tokens,
    webhooks,
    authorities,
    archives,
    resolver,
  };
  const http = resources.use(await serveApi(config, serving));
  events.started(http.url);
  const sources = { db, ...heard, reader: network.reader, witnessPolicy: network.witnessPolicy, dataDirectory, now };
  const actions = createConsoleActions({ db, wake: rounds.wake, goOn: rounds.lookNow, now });
  const console = await openConsole(config, { logger, queue: rounds.queue, actions, sources });
  if (console) {
    resources.use(console);
    events.consoleStarted(console.url);
  }
  const owned = resources.move();
  return { url: http.url, consoleUrl: console?.url, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function openConsole(
  { ADMIN_TOKEN: adminToken, CONSOLE_HOST: host, CONSOLE_PORT: port }: CoordinatorConfig,
  surroundings: Omit<ConsoleOptions, "address" | "adminToken">,
) {
  if (adminToken === undefined || port === undefined) return undefined;
  return startConsole({ ...surroundings, address: { host, port }, adminToken });
}

/** Whose certificates keyless operators sign with, and what verifies all operators' signatures. */
async function loadAuthorities(path: string | undefined) {
  try {
    const authorities = path === undefined ? undefined : await readFile(path, "utf8");
    return { authorities, verify: await loadVerifier(authorities) };
  } catch (cause) {
    throw new Error(`loading SIGSTORE_TRUSTED_ROOT_FILE ${path} failed; name a trusted_root.json of Sigstore, or leave it out`, { cause });
  }
}
