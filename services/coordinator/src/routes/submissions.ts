import { type Sha256, sha256Schema } from "@quorate/protocol/digest";
import {
  type SubmissionBatchView,
  submissionBatchSchema,
  submissionBatchViewSchema,
  type SubmissionRequest,
  submissionRequestSchema,
  submissionViewSchema,
} from "@quorate/protocol/submission";
import type { HttpApp } from "@quorate/service/http-app";
import { ProblemError } from "@quorate/service/problem";
import { z } from "zod";
import type { ProjectTokens } from "../project-tokens.ts";
import type { Submit, SubmittedBy } from "../submit.ts";
import type { Views } from "../views.ts";

type Outcome = SubmissionBatchView["submissions"][number];

const batchQuerySchema = z.strictObject({
  dryRun: z.enum(["true", "false"]).default("false").describe("true: nothing is stored or built"),
  countedBefore: z.coerce
    .number()
    .int()
    .min(0)
    .max(10_000_000)
    .default(0)
    .describe("of a dry run in several batches: targets that those before this one would have taken of the day"),
});

type Dependencies = { tokens: ProjectTokens; submit: Submit; views: Views };

export function addSubmissionRoutes(app: HttpApp, { tokens, submit, views }: Dependencies): void {
  app.post(
    "/v1/submissions",
    {
      bodyLimit: 16_384,
      schema: {
        security: [{ token: [] }],
        summary: "Please rebuild this; the same request of a project for the same targets is the same submission",
        body: submissionRequestSchema,
        response: { 200: submissionViewSchema, 202: submissionViewSchema },
      },
      // Before the body is read: a stranger's is not looked at.
      onRequest: async ({ headers }) => void (await tokens.require(headers, "submit")),
    },
    async (request, reply) => {
      const { project, id: token } = await tokens.require(request.headers, "submit");
      const { id, created } = await submit(request.body, { project, token });
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
        querystring: batchQuerySchema,
        body: submissionBatchSchema,
        response: { 200: submissionBatchViewSchema },
      },
      onRequest: async ({ headers }) => void (await tokens.require(headers, "submit")),
    },
    async ({ headers, query, body, raw }) => {
      const { project, id: token } = await tokens.require(headers, "submit");
      const isDryRun = query.dryRun === "true";
      const tried = new Set<Sha256>();
      let counted = 0;
      const outcomes: Outcome[] = [];
      for (const request of body.submissions) {
        // Nobody reads the answer any more; whoever sends the batch again is told of all.
        if (raw.socket.destroyed) break;
        const dryRun = isDryRun ? { countedBefore: query.countedBefore + counted, tried } : undefined;
        const outcome = await outcomeOf(request, { project, token, dryRun });
        counted += outcome.counted;
        if ("id" in outcome.shown) tried.add(outcome.shown.id);
        outcomes.push(outcome.shown);
      }
      return { isDryRun, counted, submissions: outcomes };
    },
  );

  app.get(
    "/v1/submissions/:id",
    { schema: { summary: "A submission and its rounds", params: z.object({ id: sha256Schema }), response: { 200: submissionViewSchema } } },
    async (request) => (await views.submission(request.params.id)) ?? refuseUnknown(request.params.id),
  );

  async function outcomeOf(request: SubmissionRequest, by: SubmittedBy): Promise<{ shown: Outcome; counted: number }> {
    try {
      const { id, created, targets, counted } = await submit(request, by);
      return { shown: { request, id, created, targets: [...targets] }, counted };
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      return { shown: { request, problem: error.problem }, counted: 0 };
    }
  }
}

export function refuseUnknown(id: string): never {
  throw new ProblemError(404, "not-found", `there is no submission ${id}; POST /v1/submissions makes one`);
}
