import { formatCanonicalJson } from "@quorate/protocol/canonical-json";
import { enrolmentSchema, type OperatorId } from "@quorate/protocol/operator";
import type { Enrolled } from "@quorate/verdict/enrolled";
import { asc, count, eq, isNull } from "drizzle-orm";
import type { Queries } from "../database.ts";
import { operators } from "../schema.ts";

export async function saveOperator(
  db: Queries,
  { enrolment, enrolledAt }: Pick<Enrolled, "enrolment" | "enrolledAt">,
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

export async function findOperator(db: Queries, operator: string): Promise<Enrolled | undefined> {
  const [row] = await db.select().from(operators).where(eq(operators.operator, operator));
  return row && operatorOf(row);
}

/** All that ever enrolled, the revoked included, in log order. */
export async function loadOperators(db: Queries): Promise<Map<OperatorId, Enrolled>> {
  const rows = await db.select().from(operators).orderBy(asc(operators.enrolledIndex));
  return new Map(rows.map(operatorOf).map((operator) => [operator.enrolment.operator, operator]));
}

export async function countOperators(db: Queries): Promise<number> {
  const [row] = await db.select({ count: count() }).from(operators).where(isNull(operators.revokedIndex));
  return row?.count ?? 0;
}

function operatorOf(row: typeof operators.$inferSelect): Enrolled {
  return {
    enrolment: enrolmentSchema.parse(JSON.parse(row.enrolment)),
    enrolledAt: row.enrolledIndex,
    rotations: [],
    ...(row.revokedIndex === null ? {} : { revokedAt: row.revokedIndex }),
  };
}
