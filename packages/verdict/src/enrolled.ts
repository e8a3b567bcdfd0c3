import type { OperatorPredicate } from "@quorate/attestation/log-statement";
import type { Enrolment, OperatorId } from "@quorate/protocol/operator";
import type { LoggedEntry } from "./logged-entry.ts";

/** An operator's time in the log: from the entry that enrolled it to the one that revoked it. */
export type Enrolled = { readonly enrolment: Enrolment; readonly enrolledAt: number; readonly revokedAt?: number };

/** Who is enrolled, from and to which index. */
export function enrolledOf(entries: readonly LoggedEntry[]): ReadonlyMap<OperatorId, Enrolled> {
  const enrolled = new Map<OperatorId, Enrolled>();
  for (const { index, entry } of entries.toSorted((a, b) => a.index - b.index)) {
    if (entry.statement.kind === "operator") noteOperator(enrolled, index, entry.statement.predicate);
  }
  return enrolled;
}

/** Takes note of an enrolment or a revocation; the first of each stands. */
export function noteOperator(enrolled: Map<OperatorId, Enrolled>, index: number, predicate: OperatorPredicate): void {
  const known = enrolled.get(predicate.operator);
  if (predicate.action === "enrol") {
    if (known === undefined) enrolled.set(predicate.operator, { enrolment: predicate, enrolledAt: index });
  } else if (known !== undefined && known.revokedAt === undefined) {
    enrolled.set(predicate.operator, { ...known, revokedAt: index });
  }
}

/** Whether an entry at `index` may speak for this operator; of a tree of size n, ask for index n. */
export function isEnrolledAt(operator: Enrolled | undefined, index: number): boolean {
  if (operator === undefined || operator.enrolledAt >= index) return false;
  return operator.revokedAt === undefined || operator.revokedAt >= index;
}
