import { type OperatorId, operatorIdSchema } from "@quorate/protocol/operator";
import type { Result } from "@quorate/protocol/result";
import { type Target, targetSchema } from "@quorate/protocol/target";
import { type SQL, and, asc, count, desc, eq, gt, isNotNull, isNull, lt, ne, sql } from "drizzle-orm";
import type { BlobStore } from "../blob-store.ts";
import type { Queries } from "../database.ts";
import { loadEntry } from "../large-envelope.ts";
import { entries, jobs, rounds, targets } from "../schema.ts";
import type { PackageFilter, Page, Says } from "./rebuilds.ts";

/** A result may be in a large envelope, which is a blob. */
type Stores = { db: Queries; blobs: Pick<BlobStore, "load"> };

/** A revealed result, by its index in the log. */
export type StoredBuild = { id: number; operator: OperatorId; target: Target; result: Result };

/** A target that is being rebuilt, by one operator or by any. */
export type QueuedBuild = { id: number; target: Target; queuedAt: Date; startedAt?: Date | undefined };

export async function findBuild({ db, blobs }: Stores, says: Says, id: number): Promise<StoredBuild | undefined> {
  const [build] = await loadWhere(db, and(eq(jobs.resultIndex, id), ofOperator(says))).limit(1);
  return build && (await loadBuild(build, blobs));
}

/** A result's envelope, and where its signature is recorded. */
export async function findRecordedResult(
  db: Queries,
  index: number,
): Promise<{ index: number; recordIndex: number; operator: string; envelope: Uint8Array } | undefined> {
  const [row] = await db
    .select({ recordIndex: jobs.recordIndex, operator: jobs.operator, envelope: entries.envelope })
    .from(jobs)
    .innerJoin(entries, eq(entries.logIndex, jobs.resultIndex))
    .where(eq(jobs.resultIndex, index));
  return row?.recordIndex == null ? undefined : { ...row, recordIndex: row.recordIndex, index };
}

/** By index, whatever else a page asks to be sorted by. */
export async function loadBuilds({ db, blobs }: Stores, says: Says, filter: PackageFilter, page: Page): Promise<StoredBuild[]> {
  const { after, descending, limit } = page;
  const following = after === undefined ? undefined : (descending ? lt : gt)(jobs.resultIndex, after);
  const builds = await loadWhere(db, and(ofOperator(says), whereOf(filter), following))
    .orderBy((descending ? desc : asc)(jobs.resultIndex))
    .limit(limit);
  return Promise.all(builds.map((build) => loadBuild(build, blobs)));
}

export async function countBuilds(db: Queries, says: Says, filter: PackageFilter): Promise<number> {
  const [row] = await db
    .select({ count: count() })
    .from(jobs)
    .innerJoin(rounds, eq(rounds.round, jobs.round))
    .innerJoin(targets, eq(targets.digest, rounds.target))
    .where(and(isNotNull(jobs.resultIndex), ofOperator(says), whereOf(filter)));
  return row?.count ?? 0;
}

/** What operators were asked to build and have not committed to, oldest first. */
export async function loadQueue(db: Queries, says: Says, filter: PackageFilter): Promise<QueuedBuild[]> {
  const rows = await db
    .select({
      id: targets.logIndex,
      target: targets.target,
      queuedAt: sql`min(${jobs.createdAt})`.mapWith(jobs.createdAt),
      startedAt: sql`min(${jobs.startedAt})`.mapWith(jobs.startedAt),
    })
    .from(jobs)
    .innerJoin(rounds, eq(rounds.round, jobs.round))
    .innerJoin(targets, eq(targets.digest, rounds.target))
    .where(and(ne(rounds.state, "settled"), isNull(jobs.committedAt), isNull(jobs.outcome), ofOperator(says), whereOf(filter)))
    .groupBy(targets.digest)
    .orderBy(targets.logIndex);
  return rows.flatMap(({ id, target, queuedAt, startedAt }) =>
    id === null ? [] : [{ id, target: targetSchema.parse(JSON.parse(target)), queuedAt, startedAt: startedAt ?? undefined }],
  );
}

/** When each operator was last heard of by a report. */
export async function loadLastReports(db: Queries): Promise<Map<string, Date>> {
  const newest = sql`max(greatest(${jobs.startedAt}, ${jobs.committedAt}, ${jobs.revealedAt}))`.mapWith(jobs.startedAt);
  const rows = await db.select({ operator: jobs.operator, at: newest }).from(jobs).groupBy(jobs.operator);
  return new Map(rows.flatMap(({ operator, at }) => (at === null ? [] : [[operator, at] as const])));
}

function loadWhere(db: Queries, condition: SQL | undefined) {
  return db
    .select({ id: jobs.resultIndex, operator: jobs.operator, target: targets.target, envelope: entries.envelope })
    .from(jobs)
    .innerJoin(rounds, eq(rounds.round, jobs.round))
    .innerJoin(targets, eq(targets.digest, rounds.target))
    .innerJoin(entries, eq(entries.logIndex, jobs.resultIndex))
    .where(condition);
}

async function loadBuild(
  row: { id: number | null; operator: string; target: string; envelope: Uint8Array },
  blobs: Stores["blobs"],
): Promise<StoredBuild> {
  const { statement } = await loadEntry(row.envelope, blobs);
  if (row.id === null || statement.kind !== "result") throw new Error(`reading build ${row.id}: its entry is a ${statement.kind}`);
  return {
    id: row.id,
    operator: operatorIdSchema.parse(row.operator),
    target: targetSchema.parse(JSON.parse(row.target)),
    result: statement.result,
  };
}

const ofOperator = (says: Says): SQL | undefined => (says === "network" ? undefined : eq(jobs.operator, says));

function whereOf(filter: PackageFilter): SQL | undefined {
  return and(
    filter.name === undefined ? undefined : eq(targets.source, filter.name),
    filter.version === undefined ? undefined : eq(targets.version, filter.version),
    filter.distribution === undefined ? undefined : eq(targets.distribution, filter.distribution),
    filter.suite === undefined ? undefined : eq(targets.suite, filter.suite),
    filter.architecture === undefined ? undefined : eq(targets.architecture, filter.architecture),
  );
}
