import type { OperatorPredicate } from "@quorate/attestation/log-statement";
import type { Enrolment, OperatorId, Rotation } from "@quorate/protocol/operator";
import type { LoggedEntry } from "./logged-entry.ts";

/** An operator's time in the log: from the entry that enrolled it, over its changes of keys, to the one that revoked it. */
export type Enrolled = {
  readonly enrolment: Enrolment;
  readonly enrolledAt: number;
  /** By index. */
  readonly rotations: readonly LoggedRotation[];
  readonly revokedAt?: number | undefined;
};

export type LoggedRotation = { readonly index: number; readonly rotation: Rotation };

/** The keys that an operator signs with; as in SPKI base64 and 32 bytes in base64. */
export type OperatorKeys = Pick<Enrolment, "identityKey" | "linkKey">;

/** Who is enrolled, from and to which index. */
export function enrolledOf(entries: readonly LoggedEntry[]): ReadonlyMap<OperatorId, Enrolled> {
  const enrolled = new Map<OperatorId, Enrolled>();
  for (const { index, entry } of entries.toSorted((a, b) => a.index - b.index)) {
    if (entry.statement.kind === "operator") noteOperator(enrolled, index, entry.statement.predicate);
  }
  return enrolled;
}

/** The keys that an operator signs with in an entry at `index`; without an index, its newest. */
export function keysAt({ enrolment, rotations }: Enrolled, index = Number.POSITIVE_INFINITY): OperatorKeys {
  const { identityKey, linkKey } = enrolment;
  const first: OperatorKeys = { identityKey, ...(linkKey !== undefined && { linkKey }) };
  return rotations
    .filter((logged) => logged.index < index)
    .reduce<OperatorKeys>((keys, { rotation }) => {
      return { ...keys, identityKey: rotation.identityKey, ...(rotation.linkKey !== undefined && { linkKey: rotation.linkKey }) };
    }, first);
}

/** Takes note of what an operator's entry changes; the first enrolment and the first revocation stand, and nothing after the latter. */
export function noteOperator(enrolled: Map<OperatorId, Enrolled>, index: number, predicate: OperatorPredicate): void {
  const known = enrolled.get(predicate.operator);
  if (predicate.action === "enrol") {
    if (known === undefined) enrolled.set(predicate.operator, { enrolment: predicate, enrolledAt: index, rotations: [] });
  } else if (known !== undefined && known.revokedAt === undefined) {
    const changed =
      predicate.action === "revoke" ? { revokedAt: index } : { rotations: [...known.rotations, { index, rotation: predicate }] };
    enrolled.set(predicate.operator, { ...known, ...changed });
  }
}

/** Whether an entry at `index` may speak for this operator; of a tree of size n, ask for index n. */
export function isEnrolledAt(operator: Enrolled | undefined, index: number): boolean {
  if (operator === undefined || operator.enrolledAt >= index) return false;
  return operator.revokedAt === undefined || operator.revokedAt >= index;
}
