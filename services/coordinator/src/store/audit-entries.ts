import { and, desc, eq, lt } from "drizzle-orm";
import type { ProjectAudit } from "@quorate/protocol/project";
import type { Queries } from "../database.ts";
import { auditEntries } from "../administration-tables.ts";
import { pageOf } from "./page-of.ts";

export type AuditEntry = {
  at: Date;
  actor: string;
  action: string;
  subject?: string | undefined;
  detail?: string | undefined;
  /** The project that may read it, where it concerns one. */
  project?: string | undefined;
};

/** In the transaction of what it tells of, where that is one of the database: then neither is there without the other. */
export async function saveAuditEntry(db: Queries, entry: AuditEntry): Promise<void> {
  await db.insert(auditEntries).values(entry);
}

/** The newest first. */
export async function loadAuditEntries(db: Queries, limit: number): Promise<AuditEntry[]> {
  const rows = await db.select().from(auditEntries).orderBy(desc(auditEntries.id)).limit(limit);
  return rows.map(entryOf);
}

/** A page of those that a project may read, the newest first; `after` is the last of the page before. */
export async function loadProjectAudit(
  db: Queries,
  project: string,
  { limit, after }: { limit: number; after?: number | undefined },
): Promise<ProjectAudit> {
  const rows = await db
    .select()
    .from(auditEntries)
    .where(and(eq(auditEntries.project, project), after === undefined ? undefined : lt(auditEntries.id, after)))
    .orderBy(desc(auditEntries.id))
    .limit(limit + 1);
  const { shown, last } = pageOf(rows, limit);
  const entries = shown.map((row) => {
    const { at, actor, action, subject, detail } = entryOf(row);
    return { id: row.id, at: at.toISOString(), actor, action, subject, detail };
  });
  return { entries, next: last?.id };
}

function entryOf({ at, actor, action, subject, detail, project }: typeof auditEntries.$inferSelect): AuditEntry {
  return { at, actor, action, subject: subject ?? undefined, detail: detail ?? undefined, project: project ?? undefined };
}
