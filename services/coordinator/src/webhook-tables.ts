import type { DeliveryAttempt } from "@quorate/protocol/webhook";
import { sql } from "drizzle-orm";
import { index, integer, jsonb, pgTable, text, uniqueIndex } from "drizzle-orm/pg-core";
import { time } from "./columns.ts";
import { rounds } from "./schema.ts";

/** Where projects are told of verdicts. */
export const webhooks = pgTable(
  "webhooks",
  {
    id: text("id").primaryKey(),
    project: text("project").notNull(),
    url: text("url").notNull(),
    /** Messages are signed with it: it is kept as it is. */
    secret: text("secret").notNull(),
    createdAt: time("created_at").notNull(),
    /** When the endpoint said that it is gone for good. */
    endedAt: time("ended_at"),
  },
  (table) => [index("webhooks_project").on(table.project)],
);

/** Messages to webhooks, each with its attempts. The transaction that keeps a verdict keeps the messages that tell of it. */
export const webhookDeliveries = pgTable(
  "webhook_deliveries",
  {
    id: integer("id").primaryKey().generatedAlwaysAsIdentity(),
    webhook: text("webhook")
      .notNull()
      .references(() => webhooks.id, { onDelete: "cascade" }),
    /** The round whose verdict it tells of; absent for one that somebody asked for to try the webhook out. */
    round: text("round").references(() => rounds.round),
    /** The bytes that are signed and sent. */
    body: text("body").notNull(),
    createdAt: time("created_at").notNull(),
    attempts: jsonb("attempts").$type<DeliveryAttempt[]>().notNull(),
    /** Absent once it was delivered or given up. */
    nextAttemptAt: time("next_attempt_at"),
    deliveredAt: time("delivered_at"),
  },
  (table) => [
    uniqueIndex("webhook_deliveries_round").on(table.webhook, table.round),
    index("webhook_deliveries_webhook").on(table.webhook, table.id),
    index("webhook_deliveries_due")
      .on(table.webhook, table.nextAttemptAt)
      .where(sql`${table.nextAttemptAt} is not null`),
    index("webhook_deliveries_created").on(table.createdAt),
  ],
);
