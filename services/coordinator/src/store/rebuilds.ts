import type { OperatorId } from "@quorate/protocol/operator";
import { type SQL, and, asc, count, desc, eq, ne, sql } from "drizzle-orm";
import { alias, type PgColumn } from "drizzle-orm/pg-core";
import type { ArtifactStatus } from "../artifact-statements.ts";
import type { Queries } from "../database.ts";
import { artifactStatuses, publishedArtifacts, publishedSources } from "../schema.ts";

/** Whose word a reader asks for: an operator's, or the network's. */
export type Says = OperatorId | "network";

export type Page = { limit: number; after?: number | undefined; sort: "id" | "name" | "version"; descending: boolean };

/** What is left out is not asked about. */
export type PackageFilter = {
  id?: number | undefined;
  name?: string | undefined;
  version?: string | undefined;
  distribution?: string | undefined;
  suite?: string | undefined;
  component?: string | undefined;
  architecture?: string | undefined;
};

export type PublishedPackage = {
  id: number;
  name: string;
  version: string;
  distribution: string;
  suite: string;
  component: string;
  seenAt: Date;
};

/** A published package file, and what one party says of it. */
export type RebuiltPackage = PublishedPackage & {
  architecture: string;
  path: string;
  status: ArtifactStatus;
  /** Log index of the result that the status rests on, when its operator made it, and whether it signed a link for this file. */
  result?: { index: number; builtAt?: Date | undefined; linked: boolean } | undefined;
};

export type RebuiltSource = PublishedPackage & { counts: Record<ArtifactStatus, number>; result?: number | undefined };

const said = alias(artifactStatuses, "said");
const built = alias(artifactStatuses, "built");
const sameSource = eq(publishedSources.id, publishedArtifacts.source);
const ofArtifact = (says: Says) => and(eq(said.artifact, publishedArtifacts.id), eq(said.says, says));

/** A page of package files; without a page all of them, by name. */
export async function loadRebuiltPackages(db: Queries, says: Says, filter: PackageFilter, page?: Page): Promise<RebuiltPackage[]> {
  const column = { id: publishedArtifacts.id, name: publishedArtifacts.package, version: publishedArtifacts.version }[page?.sort ?? "name"];
  const order = page?.descending ? desc : asc;
  const query = db
    .select({ artifact: publishedArtifacts, source: publishedSources, said, built })
    .from(publishedArtifacts)
    .innerJoin(publishedSources, sameSource)
    .leftJoin(said, ofArtifact(says))
    .leftJoin(built, and(eq(built.artifact, publishedArtifacts.id), eq(built.result, said.result), ne(built.says, "network")))
    .where(and(whereOf(filter), page && afterOf(page, column, publishedArtifacts.id)))
    .orderBy(order(column), order(publishedArtifacts.id));
  const rows = await (page ? query.limit(page.limit) : query);
  return rows.map(({ artifact, source, said, built }) => ({
    id: artifact.id,
    name: artifact.package,
    version: artifact.version,
    distribution: source.distribution,
    suite: source.suite,
    component: source.component,
    seenAt: source.seenAt,
    architecture: artifact.architecture,
    path: artifact.path,
    status: said?.status ?? "unknown",
    result: said?.result == null ? undefined : { index: said.result, builtAt: built?.statedAt, linked: built?.linked ?? false },
  }));
}

export async function countRebuiltPackages(db: Queries, filter: PackageFilter): Promise<number> {
  const [row] = await db.select({ count: count() }).from(publishedArtifacts).innerJoin(publishedSources, sameSource).where(whereOf(filter));
  return row?.count ?? 0;
}

/** A page of sources, with what is said of their package files. */
export async function loadRebuiltSources(db: Queries, says: Says, filter: PackageFilter, page: Page): Promise<RebuiltSource[]> {
  const column = publishedSources[page.sort];
  const order = page.descending ? desc : asc;
  const rows = await db
    .select({
      source: publishedSources,
      artifacts: count(),
      good: countOf("good"),
      bad: countOf("bad"),
      failed: countOf("failed"),
      result: sql<string | null>`max(${said.result})`,
    })
    .from(publishedSources)
    .innerJoin(publishedArtifacts, sameSource)
    .leftJoin(said, ofArtifact(says))
    .where(and(whereOfSource(filter), afterOf(page, column, publishedSources.id)))
    .groupBy(publishedSources.id)
    .orderBy(order(column), order(publishedSources.id))
    .limit(page.limit);
  return rows.map(({ source, artifacts, good, bad, failed, result }) => ({
    ...source,
    counts: { good, bad, failed, unknown: artifacts - good - bad - failed },
    result: result === null ? undefined : Number(result),
  }));
}

export async function countRebuiltSources(db: Queries, filter: PackageFilter): Promise<number> {
  const [row] = await db.select({ count: count() }).from(publishedSources).where(whereOfSource(filter));
  return row?.count ?? 0;
}

/** How many package files have each status, by component. */
export async function countStatuses(db: Queries, says: Says): Promise<Map<string, Record<ArtifactStatus, number>>> {
  const rows = await db
    .select({ component: publishedSources.component, status: said.status, count: count() })
    .from(publishedArtifacts)
    .innerJoin(publishedSources, sameSource)
    .leftJoin(said, ofArtifact(says))
    .groupBy(publishedSources.component, said.status);
  const counts = new Map<string, Record<ArtifactStatus, number>>();
  for (const { component, status, count } of rows) {
    const known = counts.get(component) ?? { good: 0, bad: 0, failed: 0, unknown: 0 };
    known[status ?? "unknown"] += count;
    counts.set(component, known);
  }
  return counts;
}

/** When something that `says` shows last changed. */
export async function findLastChange(db: Queries, says: Says): Promise<Date | undefined> {
  const newest = (column: typeof publishedSources.seenAt | typeof artifactStatuses.statedAt) => sql`max(${column})`.mapWith(column);
  const [seen] = await db.select({ at: newest(publishedSources.seenAt) }).from(publishedSources);
  const [stated] = await db
    .select({ at: newest(artifactStatuses.statedAt) })
    .from(artifactStatuses)
    .where(eq(artifactStatuses.says, says));
  const times = [seen?.at, stated?.at].filter((time): time is Date => time instanceof Date);
  return times.sort((a, b) => b.getTime() - a.getTime())[0];
}

/** The releases and architectures that there are packages of. */
export async function loadOrigins(db: Queries): Promise<{ distribution: string; suite: string; architecture: string }[]> {
  return db
    .selectDistinct({
      distribution: publishedSources.distribution,
      suite: publishedSources.suite,
      architecture: publishedArtifacts.architecture,
    })
    .from(publishedArtifacts)
    .innerJoin(publishedSources, sameSource)
    .orderBy(publishedSources.distribution, publishedSources.suite, publishedArtifacts.architecture);
}

function countOf(status: ArtifactStatus) {
  return sql`count(*) filter (where ${said.status} = ${status})`.mapWith(Number);
}

function whereOf(filter: PackageFilter): SQL | undefined {
  return and(
    filter.id === undefined ? undefined : eq(publishedArtifacts.id, filter.id),
    filter.name === undefined ? undefined : eq(publishedArtifacts.package, filter.name),
    filter.version === undefined ? undefined : eq(publishedArtifacts.version, filter.version),
    filter.architecture === undefined ? undefined : eq(publishedArtifacts.architecture, filter.architecture),
    whereOfOrigin(filter),
  );
}

function whereOfSource(filter: PackageFilter): SQL | undefined {
  return and(
    filter.id === undefined ? undefined : eq(publishedSources.id, filter.id),
    filter.name === undefined ? undefined : eq(publishedSources.name, filter.name),
    filter.version === undefined ? undefined : eq(publishedSources.version, filter.version),
    whereOfOrigin(filter),
  );
}

function whereOfOrigin({ distribution, suite, component }: PackageFilter): SQL | undefined {
  return and(
    distribution === undefined ? undefined : eq(publishedSources.distribution, distribution),
    suite === undefined ? undefined : eq(publishedSources.suite, suite),
    component === undefined ? undefined : eq(publishedSources.component, component),
  );
}

/** What follows the record `after` in the page's order; nothing follows one that does not exist, so that paging always ends. */
function afterOf({ after, descending }: Page, column: PgColumn, id: PgColumn): SQL | undefined {
  if (after === undefined) return undefined;
  const last = sql`(select ${sql.identifier(column.name)}, "id" from ${column.table} where "id" = ${after})`;
  return descending ? sql`(${column}, ${id}) < ${last}` : sql`(${column}, ${id}) > ${last}`;
}
