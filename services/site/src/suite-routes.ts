import { Readable } from "node:stream";
import type { HttpApp } from "@quorate/service/http-app";
import { verdictOutcomes } from "@quorate/protocol/verdict";
import { ProblemError } from "@quorate/service/problem";
import { z } from "zod";
import { eachSuiteTarget, listSuites, listSuiteTargets, type OutcomeCounts, type SuiteFacts } from "./network-facts.ts";
import type { Outcome } from "./outcome.ts";
import { shownTargets, suitePage, worstFirst } from "./pages/suite-page.ts";
import { suitesPage } from "./pages/suites-page.ts";
import type { ReadModel } from "./read-model.ts";
import type { SendPage } from "./routes.ts";
import { exportMediaTypes, formatExport, tableFormats, verdictFormats } from "./suite-exports.ts";
import { listDays, listShares, shareFacets } from "./suite-facts.ts";

const paramsSchema = z.object({ distribution: z.string(), suite: z.string() });

/** How suites stand. */
export function addSuiteRoutes(app: HttpApp, { model, sendPage }: { model: ReadModel; sendPage: SendPage }): void {
  app.get("/suites", (request, reply) => sendPage(request, reply, () => suitesPage(listSuites(model))));

  app.get("/suite/:distribution/:suite", { schema: { params: paramsSchema } }, (request, reply) =>
    sendPage(request, reply, () => {
      const facts = requireSuite(request.params);
      return suitePage({
        facts,
        days: listDays(model, facts),
        components: listShares(model, facts, "component"),
        causes: listShares(model, facts, "cause"),
        lines: new Map(worstFirst.map((outcome) => [outcome, listSuiteTargets(model, facts, { outcome, limit: shownTargets })])),
      });
    }),
  );

  for (const format of verdictFormats) {
    app.get(`/suite/:distribution/:suite/verdicts.${format}`, { schema: { params: paramsSchema } }, async (request, reply) => {
      const targets = eachSuiteTarget(model, requireSuite(request.params));
      return reply.type(exportMediaTypes[format]).send(Readable.from(formatExport(targets, format)));
    });
  }
  for (const format of tableFormats) {
    app.get(`/suite/:distribution/:suite/history.${format}`, { schema: { params: paramsSchema } }, async (request, reply) => {
      const days = listDays(model, requireSuite(request.params)).map(({ day, counts }) => ({
        day,
        ...Object.fromEntries(namedCounts(verdictOutcomes, counts)),
      }));
      return reply.type(exportMediaTypes[format]).send(Readable.from(formatExport(days, format)));
    });
    for (const facet of shareFacets) {
      app.get(`/suite/:distribution/:suite/${facet}s.${format}`, { schema: { params: paramsSchema } }, async (request, reply) => {
        const shares = listShares(model, requireSuite(request.params), facet).map(({ value, counts }) => ({
          [facet]: value,
          ...Object.fromEntries(namedCounts([...verdictOutcomes, "pending"], counts)),
        }));
        return reply.type(exportMediaTypes[format]).send(Readable.from(formatExport(shares, format)));
      });
    }
  }

  function requireSuite({ distribution, suite }: z.infer<typeof paramsSchema>): SuiteFacts {
    const found = listSuites(model).find((facts) => facts.distribution === distribution && facts.suite === suite);
    if (found !== undefined) return found;
    throw new ProblemError(404, "not-found", "No target of this suite has been submitted to this network.");
  }
}

/** Of every outcome, so that each line has the same columns. */
function namedCounts(named: readonly Outcome[], counts: OutcomeCounts): [string, number][] {
  return named.map((outcome) => [outcome, counts.get(outcome) ?? 0]);
}
