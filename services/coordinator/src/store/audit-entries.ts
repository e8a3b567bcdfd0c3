import { desc } from "drizzle-orm";
import type { Queries } from "../database.ts";
import { auditEntries } from "../schema.ts";

export type AuditEntry = {
  at: Date;
  actor: string;
  action: string;
  subject?: string | undefined;
  detail?: string | undefined;
};

/** In the transaction of what it tells of, where that is one of the database: then neither is there without the other. */
export async function saveAuditEntry(db: Queries, entry: AuditEntry): Promise<void> {
  await db.insert(auditEntries).values(entry);
}

/** The newest first. */
export async function loadAuditEntries(db: Queries, limit: number): Promise<AuditEntry[]> {
  const rows = await db.select().from(auditEntries).orderBy(desc(auditEntries.id)).limit(limit);
  return rows.map(({ at, actor, action, subject, detail }) => ({
    at,
    actor,
    action,
    subject: subject ?? undefined,
    detail: detail ?? undefined,
  }));
}
