import { sha256Schema } from "@quorate/protocol/digest";
import { operatorIdSchema } from "@quorate/protocol/operator";
import type { VerdictLine } from "@quorate/protocol/verdict-line";
import { acceptsGzip } from "@quorate/service/accepts-gzip";
import type { HttpApp } from "@quorate/service/http-app";
import { isNotModified, tagOf, validatorHeaders } from "@quorate/service/not-modified";
import { ProblemError } from "@quorate/service/problem";
import type { FastifyReply, FastifyRequest } from "fastify";
import { gzipSync } from "node:zlib";
import { z } from "zod";
import { findArtifact } from "./artifact-facts.ts";
import { operatorNames } from "./operator-facts.ts";
import type { Outcome } from "./outcome.ts";
import type { ReadModel } from "./read-model.ts";
import type { SiteState } from "./site-state.ts";
import { formatAtomFeed, formatJsonFeed, listOperatorVerdicts, listPackageVerdicts, listSuiteVerdicts } from "./verdict-feed.ts";
import { publicAddressOf } from "./public-address.ts";
import { formatBadge, summaryOutcome } from "./verdict-badge.ts";

const nameSchema = z.string().max(200);
const formatSchema = z.enum(["atom", "json"]);
const mediaTypes = { atom: "application/atom+xml; charset=utf-8", json: "application/feed+json; charset=utf-8" };
const produces = ["application/atom+xml", "application/feed+json"];

type Dependencies = { model: ReadModel; state: () => SiteState; publicUrl: string | undefined };

/** What is new, under which part of `/v1/feeds/`. */
type Asked = { format: "atom" | "json"; title: string; path: string; lines: readonly VerdictLine[] };

/** `/v1/feeds` and `/v1/badges`: what is new about a package, a suite or an operator. */
export function addFeedRoutes(app: HttpApp, { model, state, publicUrl }: Dependencies): void {
  app.get(
    "/v1/feeds/package/:name/:format",
    { schema: { summary: "The newest verdicts on a package", produces, params: z.object({ name: nameSchema, format: formatSchema }) } },
    async (request, reply) => {
      const { name, format } = request.params;
      const lines = listPackageVerdicts(model, name);
      if (lines.length === 0) throw unknown("No verdict on a package of this name is in the log.");
      return sendFeed(request, reply, { format, title: `Verdicts on ${name}`, path: `package/${encodeURIComponent(name)}`, lines });
    },
  );

  const suiteSchema = z.object({ distribution: nameSchema, suite: nameSchema, format: formatSchema });
  app.get(
    "/v1/feeds/suite/:distribution/:suite/:format",
    { schema: { summary: "The newest verdicts of a suite", produces, params: suiteSchema } },
    async (request, reply) => {
      const { distribution, suite, format } = request.params;
      const lines = listSuiteVerdicts(model, distribution, suite);
      if (lines.length === 0) throw unknown("No verdict of this suite is in the log.");
      const path = `suite/${encodeURIComponent(distribution)}/${encodeURIComponent(suite)}`;
      return sendFeed(request, reply, { format, title: `Verdicts of ${distribution}/${suite}`, path, lines });
    },
  );

  app.get(
    "/v1/feeds/operator/:id/:format",
    {
      schema: {
        summary: "The newest verdicts in which an operator had a part",
        produces,
        params: z.object({ id: operatorIdSchema, format: formatSchema }),
      },
    },
    async (request, reply) => {
      const { id, format } = request.params;
      const name = operatorNames(model).get(id);
      if (name === undefined) throw unknown("No operator of this id is enrolled in the log.");
      return sendFeed(request, reply, {
        format,
        title: `Verdicts with ${name}`,
        path: `operator/${id}`,
        lines: listOperatorVerdicts(model, id),
      });
    },
  );

  app.get(
    "/v1/badges/package/:name",
    { schema: { summary: "How a package stands, as a picture", produces: ["image/svg+xml"], params: z.object({ name: nameSchema }) } },
    async (request, reply) => {
      return sendBadge(request, reply, summaryOutcome(listPackageVerdicts(model, request.params.name)));
    },
  );

  app.get(
    "/v1/badges/artifact/:sha256",
    {
      schema: {
        summary: "How a published file stands, as a picture",
        produces: ["image/svg+xml"],
        params: z.object({ sha256: sha256Schema }),
      },
    },
    async (request, reply) => {
      const facts = findArtifact(model, request.params.sha256);
      const outcome = facts?.artifact.sha256 === facts?.sha256 ? facts?.newest?.said?.outcome : undefined;
      return sendBadge(request, reply, outcome);
    },
  );

  function sendFeed(request: FastifyRequest, reply: FastifyReply, { format, title, path, lines }: Asked): FastifyReply {
    const { url: siteUrl, isOfRequest } = publicAddressOf(publicUrl, request);
    const feed = { title, path: `/v1/feeds/${path}`, siteUrl, origin: state().origin, lines };
    const [newest] = lines;
    const text = format === "atom" ? formatAtomFeed(feed) : formatJsonFeed(feed);
    return send(request, reply.type(mediaTypes[format]), { text, isOfRequest, lastModified: newest && new Date(newest.decidedAt) });
  }
}

function sendBadge(request: FastifyRequest, reply: FastifyReply, outcome: Outcome | undefined) {
  return send(request, reply.type("image/svg+xml; charset=utf-8"), { text: formatBadge(outcome) });
}

type Content = { text: string; isOfRequest?: boolean; lastModified?: Date | undefined };

function send(request: FastifyRequest, reply: FastifyReply, { text, isOfRequest = false, lastModified }: Content): FastifyReply {
  const etag = `W/${tagOf(text)}`;
  void reply.headers({
    ...validatorHeaders({ etag, lastModified }),
    "cache-control": `${isOfRequest ? "private" : "public"}, max-age=60`,
    vary: isOfRequest ? "accept-encoding, host" : "accept-encoding",
  });
  if (isNotModified(request.headers, { etag, lastModified })) return reply.code(304).send();
  if (!acceptsGzip(request.headers["accept-encoding"])) return reply.send(text);
  return reply.header("content-encoding", "gzip").send(gzipSync(text));
}

const unknown = (detail: string) => new ProblemError(404, "not-found", detail);
