import { sql } from "drizzle-orm";
import { describeApi } from "@quorate/service/api-description";
import { allowCrossOriginReads } from "@quorate/service/cross-origin-reads";
import { createHttpApp, type HttpApp } from "@quorate/service/http-app";
import { listen } from "@quorate/service/listen";
import type { Logger } from "@quorate/service/logger";
import type { Metrics } from "@quorate/service/metrics";
import { limitRequests, type RateLimit } from "@quorate/service/rate-limit";
import type { RequireAdmin } from "./admin-access.ts";
import type { BlobStore } from "./blob-store.ts";
import type { RoundChanges } from "./changes.ts";
import type { Database } from "./database.ts";
import type { PublishPolicy } from "./network-policy.ts";
import type { OperatorAdmission } from "./operator-admission.ts";
import type { ProjectTokens } from "./project-tokens.ts";
import type { LoadProof } from "./proof.ts";
import type { ArchiveUrlOf } from "./rebuilderd/shape-v1.ts";
import type { LoadResultBundle } from "./result-bundle.ts";
import { addArtifactRoutes } from "./routes/artifacts.ts";
import { addBlobRoutes } from "./routes/blobs.ts";
import { addChangeEventRoutes } from "./routes/change-events.ts";
import { addNetworkRoutes, type NetworkIdentity } from "./routes/network.ts";
import { addOperatorRoutes } from "./routes/operators.ts";
import { addPolicyRoutes } from "./routes/policies.ts";
import { addProjectRoutes } from "./routes/project.ts";
import { addRebuilderdRoutes } from "./routes/rebuilderd.ts";
import { addResultRoutes } from "./routes/results.ts";
import { addRoundRoutes } from "./routes/rounds.ts";
import { addSubmissionRoutes } from "./routes/submissions.ts";
import { addTokenRoutes } from "./routes/tokens.ts";
import { addWebhookRoutes } from "./routes/webhooks.ts";
import { addWorkerRoutes } from "./routes/workers.ts";
import type { WorkerRegistry } from "./register-worker.ts";
import type { Submit } from "./submit.ts";
import type { UploadTickets } from "./upload-ticket.ts";
import type { Views } from "./views.ts";
import type { ProjectWebhooks } from "./webhooks/project-webhooks.ts";

/** A blob may have 256 MiB (a build log or a trace has far less), all blobs of one job 1 GiB, those of one operator's jobs of a day 50. */
const blobLimits = { maxBlobBytes: 256 * 2 ** 20, maxJobBytes: 2 ** 30, maxOperatorBytesADay: 50 * 2 ** 30 };

type Surroundings = {
  address: { host: string; port: number };
  rateLimit: Pick<RateLimit, "requestsAMinute" | "trustedProxies">;
  logger: Logger;
  metrics: Metrics;
  db: Database;
  blobs: BlobStore;
  tickets: UploadTickets;
  views: Views;
  watch: RoundChanges["watch"];
  identity: NetworkIdentity;
  requireAdmin: RequireAdmin;
  tokens: ProjectTokens;
  webhooks: ProjectWebhooks;
  targetsADay: number;
  publishPolicy: PublishPolicy;
  readLogSize: () => Promise<number>;
  loadProof: LoadProof;
  loadResultBundle: LoadResultBundle;
  trustedRoot: string;
  submit: Submit;
  archiveUrlOf: ArchiveUrlOf;
  now: () => Date;
  admission: OperatorAdmission;
  workerRegistry: WorkerRegistry;
};

/** Serves the public API. */
export async function startHttp(surroundings: Surroundings): Promise<AsyncDisposable & { url: string }> {
  const { db, logger, metrics, rateLimit, tokens } = surroundings;
  const app = createHttpApp({
    logger,
    metrics,
    // Large blobs over a slow line take a while.
    requestTimeoutMilliseconds: 10 * 60_000,
    trustProxy: [...rateLimit.trustedProxies],
    readiness: { database: () => db.execute(sql`select 1`), log: surroundings.readLogSize },
  });
  // What is sent is made of the schemas' own types; a schema that brands a text does not run backwards.
  app.setSerializerCompiler(() => JSON.stringify);
  await describeApi(app, {
    title: "Quorate: submissions and work under way",
    description:
      "Everything with authority is in the log; this API asks for rebuilds and shows what is being done. What is public needs no token.",
  });
  allowCrossOriginReads(app);
  await limitRequests(app, { ...rateLimit, bucketOf: tokens.bucketOf });
  addSubmissionRoutes(app, surroundings);
  addProjectRoutes(app, surroundings);
  addTokenRoutes(app, surroundings);
  addWebhookRoutes(app, surroundings);
  addChangeEventRoutes(app, surroundings);
  addRoundRoutes(app, surroundings);
  addArtifactRoutes(app, surroundings);
  addNetworkRoutes(app, surroundings);
  addPolicyRoutes(app, surroundings);
  addOperatorRoutes(app, surroundings);
  addRebuilderdRoutes(app, surroundings);
  addResultRoutes(app, surroundings);
  addWorkerRoutes(app, surroundings);
  addBlobRoutes(app, { ...surroundings, limits: blobLimits });
  const url = await listen(app, surroundings.address);
  return { url, [Symbol.asyncDispose]: () => closeSoon(app) };
}

/** Requests under way get a second; connections on which nothing was ever asked would otherwise be waited for, for a minute. */
async function closeSoon(app: HttpApp): Promise<void> {
  const timer = setTimeout(() => app.server.closeAllConnections(), 1000);
  try {
    await app.close();
  } finally {
    clearTimeout(timer);
  }
}
