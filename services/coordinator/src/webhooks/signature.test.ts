import { Webhook, WebhookVerificationError } from "standardwebhooks";
import { expect, test } from "vitest";
import { createWebhookSecret, signatureHeaders } from "./signature.ts";

test("is what the standard's own library accepts, of these bytes and with this secret", () => {
  const secret = createWebhookSecret();
  const body = JSON.stringify({ type: "verdict", data: { source: "größer" } });
  const headers = signatureHeaders(secret, { id: "7", sentAt: new Date(), body });
  expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(body));
  expect(() => new Webhook(secret).verify(`${body} `, headers)).toThrow(WebhookVerificationError);
  expect(() => new Webhook(createWebhookSecret()).verify(body, headers)).toThrow(WebhookVerificationError);
  const hourAgo = signatureHeaders(secret, { id: "7", sentAt: new Date(Date.now() - 3_600_000), body });
  expect(() => new Webhook(secret).verify(body, hourAgo)).toThrow(/too old/i);
});
