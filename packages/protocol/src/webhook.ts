import { z } from "zod";
import { projectSchema } from "./api-token.ts";
import { sha256Schema } from "./digest.ts";
import { architectureSchema, packageNameSchema, packageVersionSchema } from "./names.ts";
import { verdictOutcomes } from "./verdict.ts";

export const webhookIdSchema = z.uuid();

/** `POST /v1/webhooks`: where a project is told of verdicts. */
export const webhookRequestSchema = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: "must be an https URL" })
    .max(2000)
    .regex(/^https?:\/\/[^@/?#]+(?:[/?#]|$)/i, "must have no user name and no password in it")
    .meta({ examples: ["https://qa.example/hooks/quorate"] }),
});

/** A webhook as the API shows it. Its secret is in the answer that made it and nowhere else. */
export const webhookViewSchema = z.strictObject({
  id: webhookIdSchema,
  project: projectSchema,
  url: z.string(),
  createdAt: z.iso.datetime(),
  /** When the endpoint answered 410 Gone: nothing has been sent to it since. */
  endedAt: z.iso.datetime().optional(),
});
export type WebhookView = z.infer<typeof webhookViewSchema>;

/** `secret` is what Standard Webhooks 1.0.0 signs with, as `whsec_…`. */
export const newWebhookSchema = webhookViewSchema.extend({ secret: z.string() });
export type NewWebhook = z.infer<typeof newWebhookSchema>;

export const webhookListSchema = z.strictObject({ webhooks: z.array(webhookViewSchema) });

/** What is sent when a round of a target that the project submitted has its verdict. Everything in it is in the log as well. */
export const verdictMessageSchema = z.strictObject({
  type: z.literal("verdict"),
  timestamp: z.iso.datetime(),
  data: z.strictObject({
    round: sha256Schema,
    target: sha256Schema,
    distribution: z.string(),
    suite: z.string(),
    source: packageNameSchema,
    version: packageVersionSchema,
    architecture: architectureSchema,
    outcome: z.enum(verdictOutcomes),
    /** The verdict's entry in the log. */
    verdictIndex: z.int(),
  }),
});
export type VerdictMessage = z.infer<typeof verdictMessageSchema>;

/** What is sent when somebody tries the webhook out. */
export const pingMessageSchema = z.strictObject({ type: z.literal("ping"), timestamp: z.iso.datetime(), data: z.strictObject({}) });

export const deliveryAttemptSchema = z.strictObject({
  at: z.iso.datetime(),
  milliseconds: z.int(),
  /** The status that the endpoint answered. */
  status: z.int().optional(),
  /** Why there is no status. */
  error: z.string().optional(),
});
export type DeliveryAttempt = z.infer<typeof deliveryAttemptSchema>;

export const deliveryStates = ["waiting", "delivered", "given-up"] as const;

/** A message to a webhook, with all attempts at it; `id` is its `webhook-id`. */
export const deliveryViewSchema = z.strictObject({
  id: z.string(),
  message: z.discriminatedUnion("type", [verdictMessageSchema, pingMessageSchema]),
  state: z.enum(deliveryStates),
  attempts: z.array(deliveryAttemptSchema),
  nextAttemptAt: z.iso.datetime().optional(),
});
export type DeliveryView = z.infer<typeof deliveryViewSchema>;

/** A page of them, newest first; `next` is the `after` of the page that follows. */
export const deliveriesSchema = z.strictObject({ deliveries: z.array(deliveryViewSchema), next: z.int().optional() });
export type Deliveries = z.infer<typeof deliveriesSchema>;
