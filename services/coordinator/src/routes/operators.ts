import { operatorIdSchema } from "@quorate/protocol/operator";
import { operatorDecisionSchema, operatorListSchema, operatorRequestSchema, operatorViewSchema } from "@quorate/protocol/operator-view";
import type { HttpApp } from "@quorate/service/http-app";
import { z } from "zod";
import type { RequireAdmin } from "../admin-access.ts";
import { notEnrolled } from "../operator-statement.ts";
import type { OperatorAdmission } from "../operator-admission.ts";

const paramsSchema = z.object({ id: operatorIdSchema });
const querySchema = z.object({ state: z.enum(["undecided"]).optional() });

type Dependencies = { admission: OperatorAdmission; requireAdmin: RequireAdmin };

/** `/v1/operators`: who takes part. Operators join and leave with what they sign; the network's operator decides with its token. */
export function addOperatorRoutes(app: HttpApp, { admission, requireAdmin }: Dependencies): void {
  app.post(
    "/v1/operators",
    {
      bodyLimit: 120_000,
      schema: {
        summary: "An operator's signed enrolment, change of keys or revocation",
        body: operatorRequestSchema,
        response: { 200: operatorViewSchema, 202: operatorViewSchema },
      },
    },
    async (request, reply) => {
      const view = await admission.take(request.body);
      return reply.code(view.state === "pending" ? 202 : 200).send(view);
    },
  );

  app.get(
    "/v1/operators",
    { schema: { summary: "Operators that take part", querystring: querySchema, response: { 200: operatorListSchema } } },
    async ({ query, headers }) => {
      if (query.state === undefined) return { operators: await admission.list() };
      requireAdmin(headers);
      return { operators: await admission.listUndecided() };
    },
  );

  app.get(
    "/v1/operators/:id",
    { schema: { summary: "An operator", params: paramsSchema, response: { 200: operatorViewSchema } } },
    async ({ params }) => {
      const found = await admission.find(params.id);
      if (!found) throw notEnrolled(params.id);
      return found;
    },
  );

  app.post(
    "/v1/operators/:id/decision",
    {
      bodyLimit: 10_000,
      schema: {
        security: [{ token: [] }],
        summary: "Whoever runs the network admits, refuses or revokes an operator",
        params: paramsSchema,
        body: operatorDecisionSchema,
        response: { 200: operatorViewSchema },
      },
      // Before the body is read: a stranger's is not looked at.
      onRequest: async ({ headers }) => requireAdmin(headers),
    },
    async ({ params, body }) => admission.decide(params.id, body),
  );
}
