import { projectAuditSchema, projectSubmissionsSchema, projectViewSchema } from "@quorate/protocol/project";
import { sha256Schema } from "@quorate/protocol/digest";
import type { HttpApp } from "@quorate/service/http-app";
import { z } from "zod";
import type { Queries } from "../database.ts";
import type { ProjectTokens } from "../project-tokens.ts";
import { projectViewOf } from "../project-view.ts";
import { loadProjectAudit } from "../store/audit-entries.ts";
import { loadProjectSubmissions } from "../store/project-submissions.ts";
import { numberedPageSchema, pageAfterDescription, pageLimitSchema } from "./page-query.ts";

const submissionsQuerySchema = z.strictObject({
  limit: pageLimitSchema,
  after: sha256Schema.optional().describe(pageAfterDescription),
  failing: z
    .enum(["true", "false"])
    .default("false")
    .describe("true: only those with a target whose newest round has another verdict than reproduced"),
});
type Dependencies = { db: Queries; tokens: ProjectTokens; targetsADay: number; now: () => Date };

/** `/v1/project`: what the project of a token has submitted, with any of its tokens. Nothing of it is cached on the way. */
export function addProjectRoutes(app: HttpApp, { db, tokens, targetsADay, now }: Dependencies): void {
  const security = [{ token: [] }];
  const uncached = { "cache-control": "no-store" };
  app.get(
    "/v1/project",
    {
      schema: {
        security,
        summary: "The token's project: its quota, and what came of what it has submitted",
        response: { 200: projectViewSchema },
      },
    },
    async ({ headers }, reply) => {
      const token = await tokens.require(headers, "read");
      return reply.headers(uncached).send(await projectViewOf(db, token, { targetsADay, now: now() }));
    },
  );

  app.get(
    "/v1/project/submissions",
    {
      schema: {
        security,
        summary: "What the token's project has submitted, newest first",
        querystring: submissionsQuerySchema,
        response: { 200: projectSubmissionsSchema },
      },
    },
    async ({ headers, query }, reply) => {
      const { project } = await tokens.require(headers, "read");
      const page = { ...query, isFailing: query.failing === "true" };
      return reply.headers(uncached).send(await loadProjectSubmissions(db, project, page));
    },
  );

  app.get(
    "/v1/project/audit",
    {
      schema: {
        security,
        summary: "What was done to the token's project, newest first",
        querystring: numberedPageSchema,
        response: { 200: projectAuditSchema },
      },
    },
    async ({ headers, query }, reply) => {
      const { project } = await tokens.require(headers, "read");
      return reply.headers(uncached).send(await loadProjectAudit(db, project, query));
    },
  );
}
