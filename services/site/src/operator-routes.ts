import { operatorIdSchema } from "@quorate/protocol/operator";
import type { HttpApp } from "@quorate/service/http-app";
import { ProblemError } from "@quorate/service/problem";
import { z } from "zod";
import { listExceptions, listOperators, loadAgreement, recordOf } from "./operator-facts.ts";
import { operatorPage } from "./pages/operator-page.ts";
import { operatorsPage } from "./pages/operators-page.ts";
import type { ReadModel } from "./read-model.ts";
import type { SendPage } from "./routes.ts";

const listedExceptions = 50;

export function addOperatorRoutes(app: HttpApp, { model, sendPage }: { model: ReadModel; sendPage: SendPage }): void {
  app.get("/operators", (request, reply) =>
    sendPage(request, reply, () =>
      operatorsPage({
        operators: listOperators(model).map((facts) => ({ facts, record: recordOf(model, facts.id) })),
        agreement: loadAgreement(model),
      }),
    ),
  );

  app.get("/operator/:id", { schema: { params: z.object({ id: z.string() }) } }, (request, reply) =>
    sendPage(request, reply, () => {
      const id = operatorIdSchema.safeParse(request.params.id);
      const facts = listOperators(model).find((operator) => operator.id === id.data);
      if (facts === undefined) throw new ProblemError(404, "not-found", "No operator of this id is enrolled in the log.");
      return operatorPage({
        facts,
        record: recordOf(model, facts.id),
        exceptions: listExceptions(model, facts.id, listedExceptions),
      });
    }),
  );
}
