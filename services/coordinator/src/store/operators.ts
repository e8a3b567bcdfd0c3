import { formatCanonicalJson } from "@quorate/protocol/canonical-json";
import { type Enrolment, enrolmentSchema, type OperatorId } from "@quorate/protocol/operator";
import { asc, count, eq, isNull } from "drizzle-orm";
import type { Queries } from "../database.ts";
import { operators } from "../schema.ts";

export type EnrolledOperator = {
  enrolment: Enrolment;
  /** Log index of the enrolment, and of the revocation if there is one. */
  enrolledIndex: number;
  revokedIndex?: number | undefined;
};

export async function saveOperator(db: Queries, operator: EnrolledOperator, now: Date): Promise<void> {
  const { enrolment, enrolledIndex } = operator;
  await db
    .insert(operators)
    .values({
      operator: enrolment.operator,
      enrolment: formatCanonicalJson(enrolment),
      name: enrolment.name,
      enrolledIndex,
      enrolledAt: now,
    })
    .onConflictDoNothing();
}

export async function findOperator(db: Queries, operator: string): Promise<EnrolledOperator | undefined> {
  const [row] = await db.select().from(operators).where(eq(operators.operator, operator));
  return row && operatorOf(row);
}

/** All that ever enrolled, the revoked included, in log order. */
export async function loadOperators(db: Queries): Promise<EnrolledOperator[]> {
  const rows = await db.select().from(operators).orderBy(asc(operators.enrolledIndex));
  return rows.map(operatorOf);
}

export async function loadOperatorNames(db: Queries): Promise<Map<OperatorId, string>> {
  return new Map((await loadOperators(db)).map(({ enrolment }) => [enrolment.operator, enrolment.name]));
}

export async function countOperators(db: Queries): Promise<number> {
  const [row] = await db.select({ count: count() }).from(operators).where(isNull(operators.revokedIndex));
  return row?.count ?? 0;
}

function operatorOf(row: typeof operators.$inferSelect): EnrolledOperator {
  return {
    enrolment: enrolmentSchema.parse(JSON.parse(row.enrolment)),
    enrolledIndex: row.enrolledIndex,
    revokedIndex: row.revokedIndex ?? undefined,
  };
}
