import type { Database } from "../database.ts";
import { type DeliveryEvents, startWebhookDelivery } from "./deliver-webhooks.ts";
import { createProjectWebhooks, type ProjectWebhooks } from "./project-webhooks.ts";
import { isPublicAddress, type WebhookAddresses } from "./public-address.ts";

type Given = {
  db: Database;
  addresses: WebhookAddresses;
  events: DeliveryEvents;
  now: () => Date;
  everyMilliseconds: number;
  retryMilliseconds?: readonly number[] | undefined;
};

/** Projects' webhooks, and what sends to them. */
export function openWebhooks({ db, addresses, now, ...delivering }: Given): ProjectWebhooks & AsyncDisposable {
  const isAllowed = addresses === "any" ? () => true : isPublicAddress;
  const delivery = startWebhookDelivery({ db, isAllowed, now, ...delivering });
  const webhooks = createProjectWebhooks({ db, addresses, isAllowed, due: delivery.now, now });
  return { ...webhooks, [Symbol.asyncDispose]: () => delivery[Symbol.asyncDispose]() };
}
