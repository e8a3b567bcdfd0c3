import type { Archive } from "@quorate/archive/archive-config";
import type { TargetResolver } from "@quorate/archive/resolve-target";
import type { VerifySignature } from "@quorate/attestation/p256";
import { mintUser } from "@quorate/bus/user-credentials";
import { sha256Of } from "@quorate/protocol/digest";
import type { Logger } from "@quorate/service/logger";
import type { Metrics } from "@quorate/service/metrics";
import { formatTrustedRoot } from "@quorate/signing/tlog-entry";
import { createAdminAccess } from "./admin-access.ts";
import type { BlobStore } from "./blob-store.ts";
import type { RoundChanges } from "./changes.ts";
import type { CoordinatorConfig } from "./config.ts";
import type { Database } from "./database.ts";
import type { CoordinatorEvents } from "./events.ts";
import { startHttp } from "./http.ts";
import type { LiveBoard } from "./live-board.ts";
import { createPublishPolicy } from "./network-policy.ts";
import type { OpenLog } from "./open-log.ts";
import type { Transport } from "./open-transport.ts";
import { createOperatorAdmission } from "./operator-admission.ts";
import type { PolicyTurns } from "./policy-turns.ts";
import type { ProjectTokens } from "./project-tokens.ts";
import { createProofLoader } from "./proof.ts";
import { createWorkerRegistry } from "./register-worker.ts";
import { createResultBundleLoader } from "./result-bundle.ts";
import type { Rounds } from "./run-rounds.ts";
import { createSubmit } from "./submit.ts";
import type { UploadTickets } from "./upload-ticket.ts";
import { createViews } from "./views.ts";
import type { ProjectWebhooks } from "./webhooks/project-webhooks.ts";

type Surroundings = {
  logger: Logger;
  metrics: Metrics;
  db: Database;
  blobs: BlobStore;
  tickets: UploadTickets;
  tokens: ProjectTokens;
  webhooks: ProjectWebhooks;
  policyTurns: PolicyTurns;
  changes: RoundChanges;
  board: LiveBoard;
  verify: VerifySignature;
  authorities: string | undefined;
  archives: readonly Archive[];
  resolver: TargetResolver;
  network: OpenLog;
  transport: Transport;
  rounds: Rounds;
  events: CoordinatorEvents;
  now: () => Date;
};

/** Serves the API over what a coordinator has opened. */
export async function serveApi(config: CoordinatorConfig, surroundings: Surroundings): Promise<AsyncDisposable & { url: string }> {
  const { logger, metrics, db, blobs, tickets, board, archives, network, now } = surroundings;
  const { reader, logKey } = network;
  return startHttp({
    address: { host: config.COORDINATOR_HOST, port: config.COORDINATOR_PORT },
    rateLimit: { requestsAMinute: config.COORDINATOR_REQUESTS_A_MINUTE, trustedProxies: config.COORDINATOR_TRUSTED_PROXIES },
    logger,
    metrics,
    db,
    blobs,
    tickets,
    tokens: surroundings.tokens,
    webhooks: surroundings.webhooks,
    now,
    ...handlersOf(config, surroundings),
    views: createViews({ db, board }),
    watch: surroundings.changes.watch,
    identity: network.identity,
    requireAdmin: createAdminAccess(config.ADMIN_TOKEN),
    targetsADay: config.PROJECT_TARGETS_A_DAY,
    readLogSize: async () => (await reader.checkpoint()).checkpoint.size,
    loadProof: createProofLoader({ db, blobs, reader }),
    loadResultBundle: createResultBundleLoader({ db, blobs, reader, logKey }),
    trustedRoot: formatTrustedRoot(logKey, surroundings.authorities),
    archiveUrlOf: (distribution) => archives.find((archive) => archive.distribution === distribution)?.url ?? "",
  });
}

/** What takes requests that change something. */
function handlersOf(config: CoordinatorConfig, surroundings: Surroundings) {
  const { db, blobs, verify, resolver, transport, rounds, events, now } = surroundings;
  const { log, networkKey } = surroundings.network;
  const { authority, credentialsRevoked } = transport;
  const { ensureConsumer } = transport.bus;
  return {
    submit: createSubmit({ db, resolver, blobs, targetsADay: config.PROJECT_TARGETS_A_DAY, wake: rounds.wake, events, now }),
    publishPolicy: createPublishPolicy({ db, log, networkKey, turns: surroundings.policyTurns, verify }),
    admission: createOperatorAdmission({
      db,
      log,
      blobs,
      networkKey,
      verify,
      invitationToken: config.INVITATION_TOKEN,
      enrolled: rounds.lookNow,
      credentialsRevoked,
      events,
      now,
    }),
    workerRegistry: createWorkerRegistry({
      db,
      network: sha256Of(networkKey.spki),
      verify,
      natsUrls: config.NATS_PUBLIC_URL ?? [config.NATS_URL],
      ensureConsumer,
      mintUser: (user) => mintUser({ authority, ...user }),
      credentialsRevoked,
      events,
      now,
    }),
  };
}
