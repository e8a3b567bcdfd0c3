import { sha256Schema } from "@quorate/protocol/digest";
import type { HttpApp } from "@quorate/service/http-app";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { findArtifact } from "./artifact-facts.ts";
import { listSuites } from "./network-facts.ts";
import type { ReadModel } from "./read-model.ts";
import { sendKept } from "./send-kept.ts";
import { formatOutcomeBadge, formatSuiteBadge, summaryOutcome } from "./verdict-badge.ts";
import { listPackageVerdicts } from "./verdict-feed.ts";

const nameSchema = z.string().max(200);
const produces = ["image/svg+xml"];

/** `/v1/badges`: how a package, a published file or a suite stands, as a picture for other people's pages. */
export function addBadgeRoutes(app: HttpApp, { model }: { model: ReadModel }): void {
  app.get(
    "/v1/badges/package/:name",
    { schema: { summary: "How a package stands, as a picture", produces, params: z.object({ name: nameSchema }) } },
    async (request, reply) =>
      sendBadge(request, reply, formatOutcomeBadge(summaryOutcome(listPackageVerdicts(model, request.params.name)))),
  );

  app.get(
    "/v1/badges/artifact/:sha256",
    { schema: { summary: "How a published file stands, as a picture", produces, params: z.object({ sha256: sha256Schema }) } },
    async (request, reply) => {
      const facts = findArtifact(model, request.params.sha256);
      const outcome = facts?.artifact.sha256 === facts?.sha256 ? facts?.newest?.said?.outcome : undefined;
      return sendBadge(request, reply, formatOutcomeBadge(outcome));
    },
  );

  app.get(
    "/v1/badges/suite/:distribution/:suite",
    {
      schema: {
        summary: "How much of a suite reproduces, as a picture",
        produces,
        params: z.object({ distribution: nameSchema, suite: nameSchema }),
      },
    },
    async (request, reply) => {
      const { distribution, suite } = request.params;
      const facts = listSuites(model).find((one) => one.distribution === distribution && one.suite === suite);
      return sendBadge(request, reply, formatSuiteBadge(facts?.counts ?? new Map()));
    },
  );
}

function sendBadge(request: FastifyRequest, reply: FastifyReply, text: string): FastifyReply {
  return sendKept(request, reply.type("image/svg+xml; charset=utf-8"), { text });
}
