import { operatorIdSchema } from "@quorate/protocol/operator";
import type { VerdictLine } from "@quorate/protocol/verdict-line";
import type { HttpApp } from "@quorate/service/http-app";
import { ProblemError } from "@quorate/service/problem";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { operatorNames } from "./operator-facts.ts";
import type { ReadModel } from "./read-model.ts";
import { sendKept } from "./send-kept.ts";
import type { SiteState } from "./site-state.ts";
import { formatAtomFeed, formatJsonFeed, listOperatorVerdicts, listPackageVerdicts, listSuiteVerdicts } from "./verdict-feed.ts";
import { publicAddressOf } from "./public-address.ts";

const nameSchema = z.string().max(200);
const formatSchema = z.enum(["atom", "json"]);
const mediaTypes = { atom: "application/atom+xml; charset=utf-8", json: "application/feed+json; charset=utf-8" };
const produces = ["application/atom+xml", "application/feed+json"];

type Dependencies = { model: ReadModel; state: () => SiteState; publicUrl: string | undefined };

/** What is new, under which part of `/v1/feeds/`. */
type Asked = { format: "atom" | "json"; title: string; path: string; lines: readonly VerdictLine[] };

/** `/v1/feeds`: what is new about a package, a suite or an operator. */
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

  function sendFeed(request: FastifyRequest, reply: FastifyReply, { format, title, path, lines }: Asked): FastifyReply {
    const { url: siteUrl, isOfRequest } = publicAddressOf(publicUrl, request);
    const feed = { title, path: `/v1/feeds/${path}`, siteUrl, origin: state().origin, lines };
    const [newest] = lines;
    const text = format === "atom" ? formatAtomFeed(feed) : formatJsonFeed(feed);
    return sendKept(request, reply.type(mediaTypes[format]), { text, isOfRequest, lastModified: newest && new Date(newest.decidedAt) });
  }
}

const unknown = (detail: string) => new ProblemError(404, "not-found", detail);
