import { randomUUID } from "node:crypto";
import type { Deliveries, DeliveryView, NewWebhook, WebhookView } from "@quorate/protocol/webhook";
import { ProblemError } from "@quorate/service/problem";
import type { Database } from "../database.ts";
import { saveAuditEntry } from "../store/audit-entries.ts";
import type { StoredToken } from "../store/api-tokens.ts";
import {
  countWebhooks,
  deliveryViewOf,
  loadDeliveries,
  loadWebhooks,
  removeWebhook,
  savePing,
  saveWebhook,
  type StoredWebhook,
} from "../store/webhooks.ts";
import { allowedAddressOf, ForbiddenAddress, type WebhookAddresses } from "./public-address.ts";
import { createWebhookSecret } from "./signature.ts";

const maxWebhooks = 10;

/** The webhooks of a token's project; those of others are not there for it. */
export type ProjectWebhooks = {
  /** @throws ProblemError when nothing may be sent to the URL, or the project has as many as it may */
  create(token: StoredToken, url: string): Promise<NewWebhook>;
  list(token: StoredToken): Promise<WebhookView[]>;
  /** @throws ProblemError when there is none, as the methods below */
  remove(token: StoredToken, id: string): Promise<WebhookView>;
  /** Has a message sent that says nothing. */
  ping(token: StoredToken, id: string): Promise<DeliveryView>;
  deliveries(token: StoredToken, id: string, page: { limit: number; after?: number | undefined }): Promise<Deliveries>;
};

type Given = {
  db: Database;
  addresses: WebhookAddresses;
  isAllowed: (address: string) => boolean;
  /** Called when a message is due. */
  due: () => void;
  now: () => Date;
};

export function createProjectWebhooks({ db, addresses, isAllowed, due, now }: Given): ProjectWebhooks {
  const audit = (token: StoredToken, action: string, { id, url }: StoredWebhook) => ({
    at: now(),
    actor: `token ${token.id}`,
    action,
    subject: id,
    detail: url,
    project: token.project,
  });
  return {
    async create(token, url) {
      if (addresses === "public" && new URL(url).protocol !== "https:") throw notEncrypted(url);
      await refuseForbidden(url, isAllowed);
      const { project } = token;
      const webhook = { id: randomUUID(), project, url, secret: createWebhookSecret(), createdAt: now() };
      return await db.transaction(async (tx) => {
        if ((await countWebhooks(tx, project)) >= maxWebhooks) throw tooMany(project);
        const saved = await saveWebhook(tx, webhook);
        await saveAuditEntry(tx, audit(token, "create-webhook", saved));
        return { ...viewOf(saved), secret: saved.secret };
      });
    },
    async list({ project }) {
      return (await loadWebhooks(db, project)).map(viewOf);
    },
    async remove(token, id) {
      return await db.transaction(async (tx) => {
        const removed = (await removeWebhook(tx, token.project, id)) ?? refuseUnknown(token, id);
        await saveAuditEntry(tx, audit(token, "remove-webhook", removed));
        return viewOf(removed);
      });
    },
    async ping(token, id) {
      const webhook = (await loadWebhooks(db, token.project)).find((one) => one.id === id) ?? refuseUnknown(token, id);
      if (webhook.endedAt) throw ended(webhook);
      const delivery = await savePing(db, id, now());
      due();
      return deliveryViewOf(delivery);
    },
    async deliveries(token, id, page) {
      return (await loadDeliveries(db, { project: token.project, id }, page)) ?? refuseUnknown(token, id);
    },
  };
}

function viewOf({ id, project, url, createdAt, endedAt }: StoredWebhook): WebhookView {
  return { id, project, url, createdAt: createdAt.toISOString(), endedAt: endedAt?.toISOString() };
}

/** The address is looked at again before each message; that it could never be sent to is said here already. */
async function refuseForbidden(url: string, isAllowed: (address: string) => boolean): Promise<void> {
  const { hostname } = new URL(url);
  try {
    await allowedAddressOf(hostname, isAllowed);
  } catch (cause) {
    const detail =
      cause instanceof ForbiddenAddress
        ? `${cause.message}, and webhooks are sent to no other`
        : `${hostname} has no address: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw new ProblemError(422, "forbidden-address", `${detail}; name an endpoint that everybody can reach`, { cause });
  }
}

function notEncrypted(url: string): ProblemError {
  return new ProblemError(422, "forbidden-address", `${url} is not encrypted, and webhooks are sent over https only; name an https URL`);
}

function refuseUnknown({ project }: StoredToken, id: string): never {
  throw new ProblemError(404, "not-found", `project ${project} has no webhook ${id}; GET /v1/webhooks lists those that it has`);
}

function tooMany(project: string): ProblemError {
  return new ProblemError(409, "too-many-webhooks", `project ${project} has ${maxWebhooks} webhooks, as many as it may; remove one first`);
}

function ended({ url, endedAt }: StoredWebhook): ProblemError {
  const detail = `${url} answered 410 Gone on ${endedAt?.toISOString()}, and is sent nothing since; create the webhook anew`;
  return new ProblemError(409, "webhook-ended", detail);
}
