import { createHmac, randomBytes } from "node:crypto";

const prefix = "whsec_";

/** A webhook's secret as Standard Webhooks spells it: 32 random bytes in base64. */
export function createWebhookSecret(): string {
  return `${prefix}${randomBytes(32).toString("base64")}`;
}

type Message = { readonly id: string; readonly sentAt: Date; readonly body: string };

/** The headers by which a receiver knows that a message is from us, and that it is not an old one sent again (Standard Webhooks 1.0.0). */
export function signatureHeaders(secret: string, { id, sentAt, body }: Message): Record<string, string> {
  const timestamp = String(Math.floor(sentAt.getTime() / 1000));
  const key = Buffer.from(secret.slice(prefix.length), "base64");
  const signature = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${signature}` };
}
