import { Readable } from "node:stream";
import type { HttpApp } from "@quorate/service/http-app";
import { ProblemError } from "@quorate/service/problem";
import { z } from "zod";
import { eachSuiteTarget, listSuites, listSuiteTargets, type SuiteFacts } from "./network-facts.ts";
import { shownTargets, suitePage, worstFirst } from "./pages/suite-page.ts";
import { suitesPage } from "./pages/suites-page.ts";
import type { ReadModel } from "./read-model.ts";
import type { SendPage } from "./routes.ts";

const paramsSchema = z.object({ distribution: z.string(), suite: z.string() });

/** How suites stand. */
export function addSuiteRoutes(app: HttpApp, { model, sendPage }: { model: ReadModel; sendPage: SendPage }): void {
  app.get("/suites", (request, reply) => sendPage(request, reply, () => suitesPage(listSuites(model))));

  app.get("/suite/:distribution/:suite", { schema: { params: paramsSchema } }, (request, reply) =>
    sendPage(request, reply, () => {
      const facts = requireSuite(request.params);
      return suitePage({
        facts,
        lines: new Map(worstFirst.map((outcome) => [outcome, listSuiteTargets(model, facts, { outcome, limit: shownTargets })])),
      });
    }),
  );

  app.get("/suite/:distribution/:suite/verdicts.ndjson", { schema: { params: paramsSchema } }, async (request, reply) => {
    const targets = eachSuiteTarget(model, requireSuite(request.params));
    return reply.type("application/x-ndjson").send(Readable.from(linesOf(targets)));
  });

  function requireSuite({ distribution, suite }: z.infer<typeof paramsSchema>): SuiteFacts {
    const found = listSuites(model).find((facts) => facts.distribution === distribution && facts.suite === suite);
    if (found !== undefined) return found;
    throw new ProblemError(404, "not-found", "No target of this suite has been submitted to this network.");
  }
}

function* linesOf(targets: Iterable<object>): Generator<string> {
  for (const target of targets) yield `${JSON.stringify(target)}\n`;
}
