import type { IncomingHttpHeaders } from "node:http";
import { sha256Schema } from "@quorate/protocol/digest";
import {
  type SubmissionBatchView,
  submissionBatchSchema,
  submissionBatchViewSchema,
  type SubmissionRequest,
  submissionRequestSchema,
  submissionViewSchema,
} from "@quorate/protocol/submission";
import { bearerTokenOf, unauthorized } from "@quorate/service/bearer";
import type { HttpApp } from "@quorate/service/http-app";
import { ProblemError } from "@quorate/service/problem";
import { z } from "zod";
import type { Queries } from "../database.ts";
import { findApiToken } from "../store/api-tokens.ts";
import type { Submit, SubmittedBy } from "../submit.ts";
import type { Views } from "../views.ts";

type Outcome = SubmissionBatchView["submissions"][number];

const hint = "ask whoever runs this network for a project's API token";

export function addSubmissionRoutes(app: HttpApp, { db, submit, views }: { db: Queries; submit: Submit; views: Views }): void {
  app.post(
    "/v1/submissions",
    {
      bodyLimit: 16_384,
      schema: {
        security: [{ token: [] }],
        summary: "Please rebuild this; the same request for the same targets is the same submission",
        body: submissionRequestSchema,
        response: { 200: submissionViewSchema, 202: submissionViewSchema },
      },
      // Before the body is read: a stranger's is not looked at.
      onRequest: async ({ headers }) => void (await requireToken(headers)),
    },
    async (request, reply) => {
      const token = await requireToken(request.headers);
      const { id, created } = await submit(request.body, { token });
      const view = await views.submission(id);
      if (!view) throw new Error(`reading submission ${id}: it is not in the database although it was just saved`);
      return reply.code(created ? 202 : 200).send(view);
    },
  );

  app.post(
    "/v1/submissions/batch",
    {
      bodyLimit: 600_000,
      schema: {
        summary: "Up to 1,000 submissions at once; what was refused says why, and the same batch may be sent again",
        security: [{ token: [] }],
        querystring: z.strictObject({ dryRun: z.enum(["true", "false"]).default("false").describe("true: nothing is stored or built") }),
        body: submissionBatchSchema,
        response: { 200: submissionBatchViewSchema },
      },
      onRequest: async ({ headers }) => void (await requireToken(headers)),
    },
    async ({ headers, query, body, raw }) => {
      const token = await requireToken(headers);
      const isDryRun = query.dryRun === "true";
      let countedBefore = 0;
      const outcomes: SubmissionBatchView["submissions"] = [];
      for (const request of body.submissions) {
        // Nobody reads the answer any more; whoever sends the batch again is told of all.
        if (raw.socket.destroyed) break;
        const { counted = 0, ...outcome } = await outcomeOf(request, { token, dryRun: isDryRun ? { countedBefore } : undefined });
        countedBefore += counted;
        outcomes.push(outcome);
      }
      return { isDryRun, submissions: outcomes };
    },
  );

  app.get(
    "/v1/submissions/:id",
    { schema: { summary: "A submission and its rounds", params: z.object({ id: sha256Schema }), response: { 200: submissionViewSchema } } },
    async (request) => (await views.submission(request.params.id)) ?? refuseUnknown(request.params.id),
  );

  async function outcomeOf(request: SubmissionRequest, by: SubmittedBy): Promise<Outcome & { counted?: number }> {
    try {
      const { targets, ...submitted } = await submit(request, by);
      return { request, ...submitted, targets: [...targets] };
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      return { request, problem: error.problem };
    }
  }

  async function requireToken(headers: IncomingHttpHeaders): Promise<string> {
    const token = await findApiToken(db, bearerTokenOf(headers, hint));
    if (!token) throw unauthorized(`this API token is not valid; ${hint}`);
    return token;
  }
}

export function refuseUnknown(id: string): never {
  throw new ProblemError(404, "not-found", `there is no submission ${id}; POST /v1/submissions makes one`);
}
