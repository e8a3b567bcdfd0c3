import { randomBytes } from "node:crypto";
import { hostIdSchema } from "@quorate/protocol/host";
import { unreachable } from "@quorate/protocol/unreachable";
import type { HttpApp } from "@quorate/service/http-app";
import type { Logger } from "@quorate/service/logger";
import { addPassword } from "@quorate/service/password";
import { ProblemError } from "@quorate/service/problem";
import { verifyP256 } from "@quorate/signing/p256-key";
import { z } from "zod";
import type { FleetConfig } from "./config.ts";
import { decideReport } from "./decide-report.ts";
import { type EnrolledHost, loadEnrolledHosts } from "./enrolled-hosts.ts";
import { fleetPage } from "./fleet-page.ts";
import type { FleetStore } from "./fleet-store.ts";
import { type HostStanding, decideStanding } from "./host-standing.ts";

export type FleetDependencies = {
  readonly config: FleetConfig;
  readonly store: FleetStore;
  readonly logger: Logger;
  /** Milliseconds since 1970. */
  readonly now: () => number;
};

export const maxReportBytes = 1_048_576;
const params = z.object({ id: hostIdSchema });
const pageHeaders = { "cache-control": "no-store", "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'" };

/** Hosts report by their keys; what they run is shown to whoever has the token, and to nobody else. */
export async function addFleetRoutes(app: HttpApp, dependencies: FleetDependencies): Promise<void> {
  const { config, store, now } = dependencies;
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
  const { onRequest } = await addPassword(app, { realm: "fleet", password: config.token, hint: "the password is the fleet's FLEET_TOKEN" });
  const standings = async (): Promise<HostStanding[]> => {
    const hosts = await loadEnrolledHosts(config.hostsFile);
    return [...hosts.values()].map((host) =>
      decideStanding(host, store.newest(host.id), { now: now(), silenceSeconds: config.silenceSeconds }),
    );
  };
  app.get("/v1/hosts", { onRequest }, async (_request, reply) => reply.headers(pageHeaders).send({ hosts: await standings() }));
  app.get("/", { onRequest }, async (_request, reply) =>
    reply
      .headers(pageHeaders)
      .type("text/html; charset=utf-8")
      .send(fleetPage(await standings())),
  );
}

/** From the look at what is awaited to its replacement nothing is awaited, and the store compares again. */
function take(host: EnrolledHost, body: Uint8Array, { store, logger, now }: FleetDependencies) {
  const decision = decideReport(body, { host, challenge: store.challenge(host.id, newNonce()), verify: verifyP256 });
  switch (decision.kind) {
    case "accept": {
      const { sequence, outcome } = decision.statement.runtime;
      const report = { sequence, digest: decision.digest, bytes: body, receivedAt: now(), nextNonce: newNonce() };
      if (!store.accept(host.id, report)) throw new ProblemError(409, "replayed-report", "another report of this sequence came first");
      logger.info({ host: host.id, sequence, outcome }, "accepted a report");
      return store.challenge(host.id, newNonce());
    }
    case "known":
      return store.challenge(host.id, newNonce());
    case "malformed":
      throw new ProblemError(400, "malformed-report", decision.reason);
    case "wrong-signature":
    case "replayed":
      logger.warn({ host: host.id, reason: decision.reason }, `refused a report: ${decision.kind}`);
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
