import { randomBytes } from "node:crypto";
import { hostIdSchema } from "@quorate/protocol/host";
import { unreachable } from "@quorate/protocol/unreachable";
import type { HttpApp } from "@quorate/service/http-app";
import { type Metrics, metricsMediaType } from "@quorate/service/metrics";
import { addPassword } from "@quorate/service/password";
import { ProblemError } from "@quorate/service/problem";
import { verifyP256 } from "@quorate/signing/p256-key";
import { z } from "zod";
import type { FleetConfig } from "./config.ts";
import { decideReport } from "./decide-report.ts";
import { type EnrolledHost, loadEnrolledHosts } from "./enrolled-hosts.ts";
import type { FleetEvents } from "./events.ts";
import { fleetPage } from "./fleet-page.ts";
import type { FleetStore } from "./fleet-store.ts";
import { historyOf } from "./host-history.ts";
import { hostPage } from "./host-page.ts";
import { type HostStanding, decideStanding } from "./host-standing.ts";

export type FleetDependencies = {
  readonly config: FleetConfig;
  readonly store: FleetStore;
  readonly events: FleetEvents;
  readonly metrics: Metrics;
  /** Milliseconds since 1970. */
  readonly now: () => number;
};

export const maxReportBytes = 1_048_576;
const params = z.object({ id: hostIdSchema });
const pageHeaders = { "cache-control": "no-store", "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'" };
const pageMediaType = "text/html; charset=utf-8";

/** Hosts report by their keys; what they run is shown to whoever has the token, and to nobody else. */
export async function addFleetRoutes(app: HttpApp, dependencies: FleetDependencies): Promise<void> {
  const { config, store } = dependencies;
  app.addContentTypeParser("application/vnd.dsse+json", { parseAs: "buffer", bodyLimit: maxReportBytes }, (_request, body, done) =>
    done(null, body),
  );
  app.get("/v1/hosts/:id/challenge", { schema: { params } }, async (request) => {
    const { id } = await enrolled(request.params.id, config);
    return store.challenge(id, newNonce());
  });
  app.post("/v1/hosts/:id/reports", { schema: { params } }, async (request) => {
    if (!(request.body instanceof Uint8Array))
      throw new ProblemError(400, "malformed-report", "send an envelope as application/vnd.dsse+json");
    return take(await enrolled(request.params.id, config), request.body, dependencies);
  });
  await addAdministratorRoutes(app, dependencies);
}

async function addAdministratorRoutes(app: HttpApp, { config, store, events, metrics, now }: FleetDependencies): Promise<void> {
  const { onRequest } = await addPassword(app, { realm: "fleet", password: config.token, hint: "the password is the fleet's FLEET_TOKEN" });
  const clock = () => ({ now: now(), silenceSeconds: config.silenceSeconds });
  const standings = async (): Promise<HostStanding[]> => {
    const hosts = await loadEnrolledHosts(config.hostsFile);
    return [...hosts.values()].map((host) => decideStanding(host, store.newest(host.id), clock()));
  };
  app.get("/v1/hosts", { onRequest }, async (_request, reply) => reply.headers(pageHeaders).send({ hosts: await standings() }));
  app.get("/", { onRequest }, async (_request, reply) =>
    reply
      .headers(pageHeaders)
      .type(pageMediaType)
      .send(fleetPage(await standings())),
  );
  app.get("/v1/hosts/:id/history", { onRequest, schema: { params } }, async (request, reply) => {
    const { id, name } = await enrolled(request.params.id, config);
    return reply.headers(pageHeaders).send({ id, name, history: historyOf(store.periods(id), clock()) });
  });
  app.get("/hosts/:id", { onRequest, schema: { params } }, async (request, reply) => {
    const host = await enrolled(request.params.id, config);
    return reply
      .headers(pageHeaders)
      .type(pageMediaType)
      .send(hostPage(host, historyOf(store.periods(host.id), clock())));
  });
  app.get("/metrics", { onRequest }, async (_request, reply) => {
    events.asked(await standings());
    return reply.type(metricsMediaType).send(metrics.text());
  });
}

/** From the look at what is awaited to its replacement nothing is awaited, and the store compares again. */
function take(host: EnrolledHost, body: Uint8Array, { store, events, now }: FleetDependencies) {
  const decision = decideReport(body, { host, challenge: store.challenge(host.id, newNonce()), verify: verifyP256 });
  switch (decision.kind) {
    case "accept": {
      const { statement, digest } = decision;
      if (!store.accept(host.id, { statement, digest, bytes: body, receivedAt: now(), nextNonce: newNonce() }))
        throw new ProblemError(409, "replayed-report", "another report of this sequence came first");
      events.accepted(host.id, statement.runtime);
      return store.challenge(host.id, newNonce());
    }
    case "known":
      events.known();
      return store.challenge(host.id, newNonce());
    case "malformed":
      events.refused(host.id, decision);
      throw new ProblemError(400, "malformed-report", decision.reason);
    case "wrong-signature":
    case "replayed":
      events.refused(host.id, decision);
      throw new ProblemError(decision.kind === "replayed" ? 409 : 403, `${decision.kind}-report`, decision.reason);
    default:
      return unreachable(decision);
  }
}

/** The file is read each time: a host that was enrolled or taken out is so at once. */
async function enrolled(id: z.output<typeof hostIdSchema>, config: FleetConfig): Promise<EnrolledHost> {
  const host = (await loadEnrolledHosts(config.hostsFile)).get(id);
  if (host === undefined)
    throw new ProblemError(404, "unknown-host", `no host with the id ${id} is enrolled: add its line to the hosts file`);
  return host;
}

function newNonce(): string {
  return randomBytes(16).toString("hex");
}
