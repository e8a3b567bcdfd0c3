import { createApi } from "@quorate/client/api";
import { createBlobs } from "@quorate/client/blobs";
import { createLogReader } from "@quorate/client/log-reader";
import { maxEnvelopeBytes } from "@quorate/protocol/entry";
import { openDataDirectory } from "@quorate/service/data-directory";
import { describeApi } from "@quorate/service/api-description";
import { allowCrossOriginReads } from "@quorate/service/cross-origin-reads";
import { createHttpApp } from "@quorate/service/http-app";
import { listen } from "@quorate/service/listen";
import type { Logger } from "@quorate/service/logger";
import { Metrics } from "@quorate/service/metrics";
import { limitRequests } from "@quorate/service/rate-limit";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { verifyNoteSignature } from "@quorate/signing/note-key";
import { addApiReferenceRoutes } from "./api-reference-routes.ts";
import { loadAssets } from "./assets.ts";
import { addBadgeRoutes } from "./badge-routes.ts";
import type { SiteConfig } from "./config.ts";
import { addDocumentRoutes } from "./document-routes.ts";
import { createEventStreams, type StreamLimits } from "./event-streams.ts";
import { createSiteEvents } from "./events.ts";
import { addFeedRoutes } from "./feed-routes.ts";
import { startFollowing } from "./following.ts";
import { createLiveLogs } from "./live-logs.ts";
import { createLiveRounds } from "./live-rounds.ts";
import { addLiveRoutes } from "./live-routes.ts";
import { addLogRoutes } from "./log-routes.ts";
import { addOperatorRoutes } from "./operator-routes.ts";
import { addPageRoutes } from "./page-routes.ts";
import { errorPage } from "./pages/error-page.ts";
import { addProjectRoutes } from "./project-routes.ts";
import { addProofRoutes } from "./proof-routes.ts";
import { openReadModel, readModelFormat } from "./read-model.ts";
import { addResultRoutes } from "./result-routes.ts";
import { addAssetRoutes, addSecurityHeaders, createSendPage, createSendPrivatePage } from "./routes.ts";
import { addSuiteRoutes } from "./suite-routes.ts";
import { createSiteState } from "./site-state.ts";
import { addVerdictRoutes } from "./verdict-routes.ts";

export type Site = AsyncDisposable & { readonly url: string };

export type SiteContext = {
  readonly logger: Logger;
  /** How often the log is asked for a newer checkpoint; default 1000. */
  readonly followMilliseconds?: number;
};

/** Many people have one address where addresses are few; the whole list of what is being rebuilt has up to some 200 kB. */
const streamLimits: StreamLimits = { readers: 5000, readersOfNetwork: 100, unreadBytes: 512 * 1024, allUnreadBytes: 64 * 2 ** 20 };

/** Starts the site: it follows the log, and serves pages of what it has read of it. */
export async function startSite(config: SiteConfig, context: SiteContext): Promise<Site> {
  const { logger, followMilliseconds = 1000 } = context;
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await openDataDirectory({ path: config.dataDirectory, service: "site", format: readModelFormat }));
  const model = stack.use(await openReadModel(directory));
  const metrics = new Metrics();
  const events = createSiteEvents(logger, metrics);
  const reader = createLogReader({
    url: config.logUrl,
    signedBy: { keys: config.policy.witnessPolicy.logs.map(({ key }) => key), verify: verifyNoteSignature },
    hasher: nodeHasher,
  });
  const api = createApi({ url: config.coordinatorUrl });
  const blobs = createBlobs({ url: config.coordinatorUrl });
  const log = stack.use(
    startFollowing({
      follower: {
        reader,
        model,
        witnessPolicy: config.policy.witnessPolicy,
        loadBlob: (sha256) => blobs.get(sha256, { maxBytes: maxEnvelopeBytes }).catch(() => undefined),
        onUnreadable: events.unreadable,
      },
      everyMilliseconds: followMilliseconds,
      events,
    }),
  );
  const state = createSiteState({ model, policy: config.policy.witnessPolicy, unreachableSince: () => log.unreachableSince });

  const app = createHttpApp({ logger, metrics, readiness: { log: () => log.first }, trustProxy: [...config.trustedProxies] });
  stack.defer(() => app.close());
  const assets = await loadAssets();
  const sendPage = createSendPage({ assets, state });
  addSecurityHeaders(app);
  await describeApi(app, {
    title: "Quorate: verdicts",
    description:
      "What the log says, to be read without a token, also while the coordinator is down. A verdict is only as good as its evidence: verify it.",
  });
  allowCrossOriginReads(app);
  await limitRequests(app, config);
  addAssetRoutes(app, assets);
  const loadLive = createLiveRounds({ api, onError: events.liveFailed });
  const streams = createEventStreams({ limits: streamLimits, onDropped: events.readerDropped, onRefused: events.readerRefused });
  app.addHook("preClose", () => streams[Symbol.dispose]());
  const logs = stack.use(createLiveLogs({ coordinatorUrl: config.coordinatorUrl, streams, onError: events.liveFailed }));
  addPageRoutes(app, { model, loadLive, sendPage });
  addOperatorRoutes(app, { model, sendPage });
  addSuiteRoutes(app, { model, sendPage });
  addLiveRoutes(app, { loadLive, api, logs, streams, sendPage });
  addResultRoutes(app, { model, blobs, sendPage });
  addLogRoutes(app, { model, reader, state, sendPage });
  addProofRoutes(app, { model, api, policyText: config.policyText });
  addProjectRoutes(app, { ...config, sendPrivatePage: createSendPrivatePage({ assets, state }) });
  addFeedRoutes(app, { model, state, publicUrl: config.publicUrl });
  addBadgeRoutes(app, { model });
  addVerdictRoutes(app, { model, state });
  addApiReferenceRoutes(app, { api, onError: events.descriptionFailed, sendPage });
  await addDocumentRoutes(app, { sendPage });
  app.get("/v1/*", { schema: { hide: true } }, (_request, reply) => reply.callNotFound());
  app.get("/*", (request, reply) => sendPage(request, reply, () => errorPage(nothingHere)));
  const url = await listen(app, config);
  events.started(url, model.readTo().size);
  const owned = stack.move();
  return { url, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

const nothingHere = { status: 404, title: "Not found", detail: "There is no page at this address." };
