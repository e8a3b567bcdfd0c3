import { newTokenSchema, tokenIdSchema, tokenListSchema, tokenRequestSchema, tokenViewSchema } from "@quorate/protocol/api-token";
import type { HttpApp } from "@quorate/service/http-app";
import { z } from "zod";
import type { RequireAdmin } from "../admin-access.ts";
import type { ProjectTokens } from "../project-tokens.ts";

/** `/v1/tokens`: whoever runs the network gives projects their tokens, and ends them. */
export function addTokenRoutes(app: HttpApp, { tokens, requireAdmin }: { tokens: ProjectTokens; requireAdmin: RequireAdmin }): void {
  const security = [{ token: [] }];
  // Before the body is read: a stranger's is not looked at.
  const onRequest = async ({ headers }: { headers: Parameters<RequireAdmin>[0] }) => requireAdmin(headers);
  app.get(
    "/v1/tokens",
    { onRequest, schema: { security, summary: "All projects' tokens, newest first", response: { 200: tokenListSchema } } },
    async () => ({ tokens: await tokens.list() }),
  );

  app.post(
    "/v1/tokens",
    {
      onRequest,
      bodyLimit: 10_000,
      schema: {
        security,
        summary: "A new token of a project; its secret is in this answer and nowhere else",
        body: tokenRequestSchema,
        response: { 201: newTokenSchema },
      },
    },
    async ({ body }, reply) =>
      reply
        .code(201)
        .header("cache-control", "no-store")
        .send(await tokens.create(body)),
  );

  app.delete(
    "/v1/tokens/:id",
    {
      onRequest,
      schema: {
        security,
        summary: "Ends a token at once; what was submitted with it stays",
        params: z.object({ id: tokenIdSchema }),
        response: { 200: tokenViewSchema },
      },
    },
    async ({ params }) => tokens.revoke(params.id),
  );
}
