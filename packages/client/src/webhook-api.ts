import {
  type Deliveries,
  deliveriesSchema,
  type DeliveryView,
  deliveryViewSchema,
  type NewWebhook,
  newWebhookSchema,
  webhookListSchema,
  type WebhookView,
  webhookViewSchema,
} from "@quorate/protocol/webhook";
import type { ApiOptions, Cancellable } from "./api.ts";
import { queryOf, requestJson } from "./http.ts";

/** Where a project is told of verdicts: needs a token with the scope `webhooks`. Every method throws ApiError or ConnectionError (http.ts). */
export interface WebhookApi {
  list(options?: Cancellable): Promise<WebhookView[]>;
  /** The answer has the secret, which nothing else has. */
  create(url: string, options?: Cancellable): Promise<NewWebhook>;
  remove(id: string, options?: Cancellable): Promise<WebhookView>;
  /** Has a message sent that says nothing. */
  ping(id: string, options?: Cancellable): Promise<DeliveryView>;
  /** Messages, newest first; `after` is `next` of the page before. */
  deliveries(id: string, query?: { limit?: number; after?: number }, options?: Cancellable): Promise<Deliveries>;
}

export function createWebhookApi({ url: base, token, deadlineSeconds = 30 }: ApiOptions): WebhookApi {
  const url = `${base}/v1/webhooks`;
  const request = (doing: string, { signal }: Cancellable, path = "") => ({ doing, url: `${url}${path}`, token, deadlineSeconds, signal });
  return {
    async list(options = {}) {
      return (await requestJson(request("listing webhooks", options), webhookListSchema)).webhooks;
    },
    create: (endpoint, options = {}) =>
      requestJson(
        {
          ...request(`creating a webhook to ${endpoint}`, options),
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ url: endpoint }),
        },
        newWebhookSchema,
      ),
    remove: (id, options = {}) =>
      requestJson({ ...request(`removing webhook ${id}`, options, `/${id}`), method: "DELETE" }, webhookViewSchema),
    ping: (id, options = {}) =>
      requestJson({ ...request(`pinging webhook ${id}`, options, `/${id}/ping`), method: "POST" }, deliveryViewSchema),
    deliveries: (id, query = {}, options = {}) =>
      requestJson(request(`reading the messages to webhook ${id}`, options, `/${id}/deliveries${queryOf(query)}`), deliveriesSchema),
  };
}
