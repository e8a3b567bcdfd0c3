import { formatCanonicalJson } from "@quorate/protocol/canonical-json";
import { type Enrolment, enrolmentSchema, type OperatorId, rotationSchema } from "@quorate/protocol/operator";
import type { Enrolled, LoggedRotation } from "@quorate/verdict/enrolled";
import { asc, count, eq, isNull } from "drizzle-orm";
import type { Queries } from "../database.ts";
import { operatorRotations, operators } from "../schema.ts";

export async function saveOperator(
  db: Queries,
  { enrolment, enrolledAt }: { enrolment: Enrolment; enrolledAt: number },
  now: Date,
): Promise<void> {
  await db
    .insert(operators)
    .values({
      operator: enrolment.operator,
      enrolment: formatCanonicalJson(enrolment),
      name: enrolment.name,
      enrolledIndex: enrolledAt,
      enrolledAt: now,
    })
    .onConflictDoNothing();
}

export async function saveRotation(db: Queries, { index, rotation }: LoggedRotation): Promise<void> {
  await db
    .insert(operatorRotations)
    .values({ logIndex: index, operator: rotation.operator, rotation: formatCanonicalJson(rotation) })
    .onConflictDoNothing();
}

export async function saveRevoked(db: Queries, operator: string, revokedIndex: number): Promise<void> {
  await db.update(operators).set({ revokedIndex }).where(eq(operators.operator, operator));
}

export async function findOperator(db: Queries, operator: string): Promise<Enrolled | undefined> {
  const [row] = await db.select().from(operators).where(eq(operators.operator, operator));
  return row && enrolledOf(row, await loadRotations(db, operator));
}

/** All that ever enrolled, the revoked included, in log order. */
export async function loadOperators(db: Queries): Promise<Map<OperatorId, Enrolled>> {
  const rows = await db.select().from(operators).orderBy(asc(operators.enrolledIndex));
  const rotations = await loadRotations(db);
  const all = rows.map((row) => enrolledOf(row, rotations));
  return new Map(all.map((operator) => [operator.enrolment.operator, operator]));
}

/** Whoever takes or changes what an operator says holds on to its row for as long as its transaction lasts. */
export async function lockOperator(db: Queries, operator: string, strength: "share" | "update"): Promise<void> {
  await db.select({ operator: operators.operator }).from(operators).where(eq(operators.operator, operator)).for(strength);
}

export async function countOperators(db: Queries): Promise<number> {
  const [row] = await db.select({ count: count() }).from(operators).where(isNull(operators.revokedIndex));
  return row?.count ?? 0;
}

async function loadRotations(db: Queries, operator?: string): Promise<LoggedRotation[]> {
  const rows = await db
    .select()
    .from(operatorRotations)
    .where(operator === undefined ? undefined : eq(operatorRotations.operator, operator))
    .orderBy(asc(operatorRotations.logIndex));
  return rows.map(({ logIndex, rotation }) => ({ index: logIndex, rotation: rotationSchema.parse(JSON.parse(rotation)) }));
}

function enrolledOf(row: typeof operators.$inferSelect, rotations: readonly LoggedRotation[]): Enrolled {
  return {
    enrolment: enrolmentSchema.parse(JSON.parse(row.enrolment)),
    enrolledAt: row.enrolledIndex,
    rotations: rotations.filter(({ rotation }) => rotation.operator === row.operator),
    ...(row.revokedIndex === null ? {} : { revokedAt: row.revokedIndex }),
  };
}
