import {
  deliveriesSchema,
  deliveryViewSchema,
  newWebhookSchema,
  webhookIdSchema,
  webhookListSchema,
  webhookRequestSchema,
  webhookViewSchema,
} from "@quorate/protocol/webhook";
import type { HttpApp } from "@quorate/service/http-app";
import { z } from "zod";
import type { ProjectTokens } from "../project-tokens.ts";
import type { ProjectWebhooks } from "../webhooks/project-webhooks.ts";
import { numberedPageSchema } from "./page-query.ts";

/** `/v1/webhooks`: where the token's project is told of verdicts on what it has submitted, and what became of each message. */
export function addWebhookRoutes(app: HttpApp, { tokens, webhooks }: { tokens: ProjectTokens; webhooks: ProjectWebhooks }): void {
  const security = [{ token: [] }];
  const params = z.object({ id: webhookIdSchema });
  const uncached = { "cache-control": "no-store" };
  app.get(
    "/v1/webhooks",
    { schema: { security, summary: "The project's webhooks", response: { 200: webhookListSchema } } },
    async ({ headers }, reply) => {
      const token = await tokens.require(headers, "webhooks");
      return reply.headers(uncached).send({ webhooks: await webhooks.list(token) });
    },
  );

  app.post(
    "/v1/webhooks",
    {
      bodyLimit: 10_000,
      schema: {
        security,
        summary: "A new webhook; the secret that its messages are signed with is in this answer and nowhere else",
        body: webhookRequestSchema,
        response: { 201: newWebhookSchema },
      },
    },
    async ({ headers, body }, reply) => {
      const token = await tokens.require(headers, "webhooks");
      return reply
        .code(201)
        .headers(uncached)
        .send(await webhooks.create(token, body.url));
    },
  );

  app.delete(
    "/v1/webhooks/:id",
    { schema: { security, summary: "Removes a webhook with all its messages", params, response: { 200: webhookViewSchema } } },
    async ({ headers, params: { id } }) => webhooks.remove(await tokens.require(headers, "webhooks"), id),
  );

  app.post(
    "/v1/webhooks/:id/ping",
    {
      schema: {
        security,
        summary: "Sends a message that says nothing, to try the webhook out",
        params,
        response: { 202: deliveryViewSchema },
      },
    },
    async ({ headers, params: { id } }, reply) => reply.code(202).send(await webhooks.ping(await tokens.require(headers, "webhooks"), id)),
  );

  app.get(
    "/v1/webhooks/:id/deliveries",
    {
      schema: {
        security,
        summary: "The messages to a webhook, newest first, each with all attempts at it; kept for 30 days",
        params,
        querystring: numberedPageSchema,
        response: { 200: deliveriesSchema },
      },
    },
    async ({ headers, params: { id }, query }, reply) => {
      const token = await tokens.require(headers, "webhooks");
      return reply.headers(uncached).send(await webhooks.deliveries(token, id, query));
    },
  );
}
