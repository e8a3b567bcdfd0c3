import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArchives } from "@quorate/archive/archive-config";
import { createTargetResolver } from "@quorate/archive/resolve-target";
import { loadAuthority } from "@quorate/bus/authority";
import { connectCoordinatorBus, type CoordinatorBus } from "@quorate/bus/coordinator-bus";
import { revokeUsers } from "@quorate/bus/revoke-users";
import { mintCoordinator, mintUser } from "@quorate/bus/user-credentials";
import { createLogReader } from "@quorate/client/log-reader";
import { createLogWriter } from "@quorate/client/log-writer";
import { type Sha256, sha256Of } from "@quorate/protocol/digest";
import { jobIdOf } from "@quorate/protocol/job";
import { openDataDirectory } from "@quorate/service/data-directory";
import type { Logger } from "@quorate/service/logger";
import { Metrics } from "@quorate/service/metrics";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { loadP256Key } from "@quorate/signing/p256-key";
import { formatTrustedRoot } from "@quorate/signing/tlog-entry";
import { loadVerifier } from "@quorate/signing/verifier";
import { parseVkey } from "@quorate/tlog/note";
import { parseTlogPolicy } from "@quorate/tlog/tlog-policy";
import { advanceRound } from "./advance.ts";
import { type BlobStore, openBlobStore } from "./blob-store.ts";
import { createRoundChanges } from "./changes.ts";
import type { CoordinatorConfig } from "./config.ts";
import { createConsoleActions } from "./console/console-actions.ts";
import { type ConsoleOptions, startConsole } from "./console/start-console.ts";
import { type Database, openDatabase } from "./database.ts";
import { type CoordinatorEvents, createEvents } from "./events.ts";
import { startHttp } from "./http.ts";
import { createLiveBoard } from "./live-board.ts";
import { logUnfinishedStatements } from "./log-operator-statement.ts";
import { createNetworkLog } from "./network-log.ts";
import { createPublishPolicy, ensurePolicyLogged, loadPolicyRules } from "./network-policy.ts";
import { createOperatorAdmission } from "./operator-admission.ts";
import { createPolicyTurns } from "./policy-turns.ts";
import { createProofLoader } from "./proof.ts";
import { openStepQueue } from "./queues.ts";
import { createResultBundleLoader } from "./result-bundle.ts";
import { createWorkerRegistry } from "./register-worker.ts";
import { createReportHandler } from "./reports.ts";
import { createRevocations } from "./revocations.ts";
import { createRoundLanes } from "./round-lanes.ts";
import { saveApiToken } from "./store/api-tokens.ts";
import { saveJobsUnpublished } from "./store/jobs.ts";
import { loadOperators } from "./store/operators.ts";
import { loadDueRounds } from "./store/rounds.ts";
import { loadRevokedCredentials } from "./store/workers.ts";
import { createSubmit } from "./submit.ts";
import { startSweep } from "./sweep.ts";
import { createUploadTickets, loadTicketSecret } from "./upload-ticket.ts";
import { createViews } from "./views.ts";

export type CoordinatorOptions = {
  logger: Logger;
  /** A worker that is not heard of for this long is silent; default 120. */
  silenceSeconds?: number;
  /** How often due rounds and unfinished statements are looked for, and reveals asked for again; default 2000. */
  sweepMilliseconds?: number;
};

const revocationMilliseconds = 30_000;

/** A running coordinator: where its API listens, and its console if it has one. */
export type Coordinator = AsyncDisposable & { readonly url: string; readonly consoleUrl?: string | undefined };

/** Starts a coordinator: everything that was under way goes on from what the database holds. */
export async function startCoordinator(config: CoordinatorConfig, options: CoordinatorOptions): Promise<Coordinator> {
  await using resources = new AsyncDisposableStack();
  const now = () => new Date();
  const everyMilliseconds = options.sweepMilliseconds ?? 2000;
  const metrics = new Metrics();
  const events = createEvents(options.logger, metrics);
  const directory = resources.use(await openDataDirectory({ path: config.COORDINATOR_DATA_DIR, service: "coordinator", format: 1 }));
  const { db } = resources.use(await openDatabase({ url: config.DATABASE_URL, onError: events.databaseFailed }));
  const blobs = await openBlobStore(join(directory.path, "blobs"));
  const tickets = createUploadTickets(await loadTicketSecret(directory.path));
  const { log, reader, logKey, witnessPolicy, networkKey, identity } = await openLog(config, { db, blobs });
  const { authorities, verify } = await loadAuthorities(config.SIGSTORE_TRUSTED_ROOT_FILE);
  const archives = parseArchives(await readFile(config.ARCHIVES_FILE, "utf8"));
  const resolver = await createTargetResolver({
    archives,
    cacheDirectory: join(directory.path, "archive"),
  });
  await saveApiToken(db, config.API_TOKEN, "first", now());

  const authority = await loadAuthority(config.NATS_AUTHORITY_FILE);
  const { push: credentialsRevoked, pushOwed } = createRevocations(async () => {
    const server = { url: config.NATS_URL, authority, signal: AbortSignal.timeout(revocationMilliseconds) };
    await revokeUsers(server, await loadRevokedCredentials(db, now()));
  });
  const bus = resources.use(await openBus(config.NATS_URL, { authority, db, credentialsRevoked, events }));
  resources.use(startSweep({ everyMilliseconds, onError: events.credentialsStay, look: pushOwed }));
  const board = createLiveBoard();
  const { watch, changed, live } = createRoundChanges();
  const lanes = createRoundLanes();
  const silenceSeconds = options.silenceSeconds ?? 120;
  const policyTurns = createPolicyTurns();
  const listeningSince = now();
  const stepping = { db, log, policyTurns, bus, blobs, tickets, board, events, now, silenceSeconds, listeningSince, changed };
  const advance = (round: string) => lanes.run(round, () => advanceRound(stepping, round));
  const queue = resources.use(openStepQueue({ redisUrl: config.REDIS_URL, advance, events }));
  const sweep = resources.use(
    startSweep({
      everyMilliseconds,
      onError: events.sweepFailed,
      async look() {
        const loadDue = (after?: Sha256) => loadDueRounds(db, { now: now(), silenceSeconds }, after);
        for (let due = await loadDue(); due.length > 0; due = await loadDue(due.at(-1))) queue.wakeAgain(due);
      },
    }),
  );
  // By itself: it waits for the log, and rounds must not wait for it.
  resources.use(
    startSweep({
      everyMilliseconds,
      onError: events.statementsUnfinished,
      async look() {
        if ((await logUnfinishedStatements({ db, log, blobs, credentialsRevoked, now })) > 0) sweep.now();
      },
    }),
  );

  const progressed = (round: Sha256) => {
    changed(round);
    queue.wake(round);
  };
  bus.reports(createReportHandler({ db, log, blobs, verify, now, events, progressed }));
  bus.live((message) => {
    // The subject proves the operator; the round that it speaks of must be the job's.
    if (message.job !== jobIdOf(message.round, message.operator)) return;
    board.note(message, now());
    live(message);
  });
  const views = createViews({ db, board });
  const http = await startHttp({
    address: { host: config.COORDINATOR_HOST, port: config.COORDINATOR_PORT },
    logger: options.logger,
    metrics,
    db,
    blobs,
    tickets,
    views,
    watch,
    identity,
    adminToken: config.ADMIN_TOKEN,
    readLogSize: async () => (await reader.checkpoint()).checkpoint.size,
    loadProof: createProofLoader({ db, blobs, reader }),
    loadResultBundle: createResultBundleLoader({ db, blobs, reader, logKey }),
    trustedRoot: formatTrustedRoot(logKey, authorities),
    archiveUrlOf: (distribution) => archives.find((archive) => archive.distribution === distribution)?.url ?? "",
    now,
    submit: createSubmit({ db, resolver, blobs, targetsADay: config.PROJECT_TARGETS_A_DAY, wake: queue.wake, events, now }),
    publishPolicy: createPublishPolicy({ db, log, networkKey, turns: policyTurns, verify }),
    admission: createOperatorAdmission({
      db,
      log,
      blobs,
      networkKey,
      verify,
      invitationToken: config.INVITATION_TOKEN,
      ensureConsumer: bus.ensureConsumer,
      enrolled: sweep.now,
      credentialsRevoked,
      events,
      now,
    }),
    workerRegistry: createWorkerRegistry({
      db,
      network: sha256Of(networkKey.spki),
      verify,
      natsUrls: config.NATS_PUBLIC_URL ?? [config.NATS_URL],
      ensureConsumer: bus.ensureConsumer,
      mintUser: (user) => mintUser({ authority, ...user }),
      credentialsRevoked,
      events,
      now,
    }),
  });
  resources.use(http);
  events.started(http.url);
  const sources = { db, board, reader, witnessPolicy, dataDirectory: directory.path, silenceSeconds, listeningSince, now };
  const actions = createConsoleActions({ db, wake: queue.wake, goOn: sweep.now, now });
  const console = await openConsole(config, { logger: options.logger, queue: queue.queue, actions, sources });
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

/** The log as the network writes and reads it, with a policy in it. */
async function openLog(config: CoordinatorConfig, { db, blobs }: { db: Database; blobs: BlobStore }) {
  const networkKey = loadP256Key(config.NETWORK_KEY_FILE);
  const witnessPolicyText = await readFile(config.WITNESS_POLICY_FILE, "utf8");
  const witnessPolicy = parseTlogPolicy(witnessPolicyText);
  const logKey = parseVkey(config.LOG_KEY);
  const reader = createLogReader({ url: config.LOG_URL, logKeys: [logKey], hasher: nodeHasher });
  const writer = createLogWriter({ url: config.LOG_URL, token: config.LOG_TOKEN });
  const log = createNetworkLog({ writer, reader, blobs, witnessPolicy, networkKey });
  await ensurePolicyLogged({ db, log, networkKey }, await loadPolicyRules(config.POLICY_FILE));
  const identity = {
    logKey: config.LOG_KEY,
    logUrl: config.LOG_PUBLIC_URL ?? config.LOG_URL,
    networkKey: Buffer.from(networkKey.spki).toString("base64"),
    witnessPolicy: witnessPolicyText,
  };
  return { log, reader, logKey, witnessPolicy, networkKey, identity };
}

type BusSurroundings = {
  authority: Awaited<ReturnType<typeof loadAuthority>>;
  db: Database;
  credentialsRevoked: () => Promise<void>;
  events: CoordinatorEvents;
};

/** Connects to NATS and makes it have what the database says it should, now and whenever it has lost its store. */
async function openBus(url: string, { authority, db, credentialsRevoked, events }: BusSurroundings): Promise<CoordinatorBus> {
  const restore = async (bus: CoordinatorBus, lost: readonly string[]): Promise<void> => {
    await credentialsRevoked();
    for (const operator of (await loadOperators(db)).keys()) await bus.ensureConsumer(operator);
    if (!lost.includes("JOBS")) return;
    const jobs = await saveJobsUnpublished(db);
    if (jobs > 0) events.jobsPublishedAgain(jobs);
  };
  const bus: CoordinatorBus = await connectCoordinatorBus({
    url,
    credentials: await mintCoordinator(authority),
    events: {
      disconnected: () => events.transport("disconnected"),
      reconnected: () => events.transport("connected again"),
      connectFailed: (error) => events.transport("cannot connect", error),
      serverError: (error) => events.transport(error),
      storeLost: (streams) => void restore(bus, streams).catch((error: unknown) => events.transport("restoring failed", error)),
      reportsInterrupted: (error) => events.transport("reading reports was interrupted", error),
      malformedReport: (subject, error) => events.transport(`malformed report on ${subject}`, error),
      reportFailed: events.reportFailed,
      malformedLive: () => undefined,
    },
  });
  await restore(bus, await bus.ensureStreams());
  return bus;
}
