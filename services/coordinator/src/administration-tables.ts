import { tokenScopes } from "@quorate/protocol/api-token";
import { sql } from "drizzle-orm";
import { check, index, integer, pgTable, text, uniqueIndex } from "drizzle-orm/pg-core";
import { time } from "./columns.ts";

/** Projects' API tokens. Of the secrets that open the API only the SHA-256 is kept. */
export const apiTokens = pgTable(
  "api_tokens",
  {
    id: text("id").primaryKey(),
    hash: text("hash").notNull(),
    project: text("project").notNull(),
    scopes: text("scopes", { enum: tokenScopes }).array().notNull(),
    createdAt: time("created_at").notNull(),
    expiresAt: time("expires_at"),
    revokedAt: time("revoked_at"),
  },
  (table) => [uniqueIndex("api_tokens_hash").on(table.hash)],
);

/** Whether new work begins; one row, and without it new work begins. */
export const networkMode = pgTable(
  "network_mode",
  {
    id: integer("id").primaryKey(),
    mode: text("mode", { enum: ["running", "paused", "draining"] }).notNull(),
    since: time("since").notNull(),
  },
  (table) => [check("network_mode_one_row", sql`${table.id} = 1`)],
);

/** What whoever runs the network had done: added to, never changed. */
export const auditEntries = pgTable(
  "audit_entries",
  {
    id: integer("id").primaryKey().generatedAlwaysAsIdentity(),
    at: time("at").notNull(),
    /** Who asked for it: `console: ada`, or `admin token` for a decision over the API. */
    actor: text("actor").notNull(),
    action: text("action").notNull(),
    /** What it was done to: a round, an operator, an API token; absent for the network as a whole. */
    subject: text("subject"),
    detail: text("detail"),
    /** The project that may read it, where it concerns one. */
    project: text("project"),
  },
  (table) => [index("audit_entries_project").on(table.project, table.id)],
);
