import type { Sha256 } from "@quorate/protocol/digest";
import { parseSha256 } from "@quorate/protocol/digest";
import { and, asc, eq, inArray, or } from "drizzle-orm";
import type { Queries } from "../database.ts";
import { entries } from "../schema.ts";

export type EntryKind = "policy" | "operator" | "target" | "round" | "commitment" | "result" | "verdict";

/** An entry of the log, and what it is about. */
export type LoggedEntry = {
  index: number;
  key: string;
  kind: EntryKind;
  /** SHA-256 of the envelope's bytes; of a large envelope's, when the entry names one. */
  digest: Sha256;
  /** The entry's bytes. */
  envelope: Uint8Array;
  round?: string | undefined;
  target?: string | undefined;
  operator?: string | undefined;
};

/** Idempotent: an index of the log never changes meaning. */
export async function saveEntry(db: Queries, entry: LoggedEntry): Promise<void> {
  const { index, ...columns } = entry;
  await db
    .insert(entries)
    .values({ logIndex: index, ...columns })
    .onConflictDoNothing();
}

/** Everything that bears on a round: its target, its policy, the operators named, and what they sent; in log order. */
export async function loadEvidenceEntries(
  db: Queries,
  about: { round: string; target: string; policyKey: string; operators: readonly string[] },
): Promise<LoggedEntry[]> {
  const rows = await db
    .select()
    .from(entries)
    .where(
      or(
        eq(entries.round, about.round),
        eq(entries.key, `target/${about.target}`),
        eq(entries.key, about.policyKey),
        and(eq(entries.kind, "operator"), inArray(entries.operator, [...about.operators])),
      ),
    )
    .orderBy(asc(entries.logIndex));
  return rows.map(entryOf);
}

function entryOf(row: typeof entries.$inferSelect): LoggedEntry {
  const { logIndex, digest, round, target, operator, ...same } = row;
  return {
    ...same,
    index: logIndex,
    digest: parseSha256(digest),
    round: round ?? undefined,
    target: target ?? undefined,
    operator: operator ?? undefined,
  };
}
