import { type TraceFile, parseTrace, traceSummaryOf } from "@quorate/attestation/build-trace";
import { parseUtf8 } from "@quorate/attestation/json-text";
import type { Entry } from "@quorate/attestation/log-statement";
import type { Commitment } from "@quorate/protocol/commitment";
import { type Sha256, sha256Of } from "@quorate/protocol/digest";
import type { Enrolment, OperatorId } from "@quorate/protocol/operator";
import { ParseError } from "@quorate/protocol/parse-error";
import type { BuiltResult, Result } from "@quorate/protocol/result";
import { type Round, roundIdOf } from "@quorate/protocol/round";
import { type Target, targetDigestOf } from "@quorate/protocol/target";
import type { Hasher } from "@quorate/tlog/merkle";
import { VerificationError } from "@quorate/tlog/verification-error";

/** An operator's time in the log: from the entry that enrolled it to the one that revoked it. */
export type Enrolled = { readonly enrolment: Enrolment; readonly enrolledAt: number; readonly revokedAt?: number };

export type LoggedCommitment = { readonly index: number; readonly statement: Commitment };

export type LoggedResult = {
  readonly index: number;
  /** SHA-256 of the logged envelope. */
  readonly envelope: Sha256;
  readonly result: Result;
  /** The build trace that the result names, as `readTrace` gives it. */
  readonly trace?: readonly TraceFile[];
};

/** What a verdict is reached from. Every index is one of the log; every signature has been verified. */
export type Evidence = {
  readonly target: Target;
  readonly targetDigest: Sha256;
  /** As last logged: with the stand-ins that were called. */
  readonly round: Round;
  readonly roundId: Sha256;
  readonly commitments: readonly LoggedCommitment[];
  readonly results: readonly LoggedResult[];
  /**
   * Index of the round's first result in the log, when `results` may lack it. Whatever is left out, commitments logged after it do not
   * count: otherwise leaving out the first result would let those count who copied it.
   */
  readonly firstReveal?: number;
  readonly enrolled: ReadonlyMap<OperatorId, Enrolled>;
  /** Whether the round takes no more results: its deadlines have passed. */
  readonly closed: boolean;
};

export type LoggedEntry = { readonly index: number; readonly entry: Entry };

/**
 * The evidence of a round from entries of the log, in any order, with others among them; their signatures have been verified.
 *
 * @param traces build traces by the SHA-256 of their text, read by `readTrace`
 * @param before entries at this index and after it are not looked at: those that a verdict there did not know
 * @throws VerificationError when the target or the round is not among the entries
 */
export function collectEvidence(collection: {
  entries: readonly LoggedEntry[];
  roundId: Sha256;
  traces: ReadonlyMap<Sha256, readonly TraceFile[]>;
  closed: boolean;
  before?: number;
}): Evidence {
  const { roundId, traces, closed, before = Number.POSITIVE_INFINITY } = collection;
  const entries = collection.entries.filter(({ index }) => index < before).toSorted((a, b) => a.index - b.index);
  const round = roundOf(entries, roundId);
  return {
    target: targetOf(entries, round.target),
    targetDigest: round.target,
    round,
    roundId,
    commitments: entries.flatMap(({ index, entry: { statement } }) =>
      statement.kind === "commitment" && statement.commitment.round === roundId ? [{ index, statement: statement.commitment }] : [],
    ),
    results: entries.flatMap(({ index, entry }) => {
      if (entry.statement.kind !== "result" || entry.statement.result.round !== roundId) return [];
      const { result } = entry.statement;
      const trace = traces.get(traceDigestOf(result) ?? entry.digest);
      return [{ index, envelope: entry.digest, result, ...(trace && { trace }) }];
    }),
    enrolled: enrolledOf(entries),
    closed,
  };
}

/** Who is enrolled, from and to which index. */
export function enrolledOf(entries: readonly LoggedEntry[]): ReadonlyMap<OperatorId, Enrolled> {
  const enrolled = new Map<OperatorId, Enrolled>();
  for (const { index, entry } of entries.toSorted((a, b) => a.index - b.index)) {
    if (entry.statement.kind === "operator") noteOperator(enrolled, index, entry.statement.predicate);
  }
  return enrolled;
}

/** Takes note of an enrolment or a revocation; the first of each stands. */
export function noteOperator(
  enrolled: Map<OperatorId, Enrolled>,
  index: number,
  predicate: Extract<Entry["statement"], { kind: "operator" }>["predicate"],
): void {
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

/** Digest of the text of the build trace that a result names. */
export function traceDigestOf(result: Result): Sha256 | undefined {
  return result.byproducts.find(({ kind }) => kind === "build-trace")?.sha256;
}

/**
 * The build trace that a result names, from its bytes. What its operator wrote wrong is no trace, and gives `undefined`.
 *
 * @throws VerificationError when these are not the bytes that the result names: whoever keeps them is at fault, not the operator
 */
export function readTrace(result: BuiltResult, bytes: Uint8Array, hasher?: Hasher): TraceFile[] | undefined {
  const expected = traceDigestOf(result);
  if (sha256Of(bytes) !== expected) throw new VerificationError(`reading build trace ${expected}: the bytes have another digest`);
  try {
    const files = parseTrace(parseUtf8("build trace", bytes));
    const summary = traceSummaryOf(files, hasher);
    return summary.rootSha256 === result.trace.rootSha256 && summary.files === result.trace.files ? files : undefined;
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

function roundOf(entries: readonly LoggedEntry[], roundId: Sha256): Round {
  const rounds = entries.flatMap(({ entry: { statement } }) => (statement.kind === "round" ? [statement.round] : []));
  const round = rounds.findLast(({ target, attempt }) => roundIdOf(target, attempt) === roundId);
  if (round === undefined) throw new VerificationError(`collecting the evidence of round ${roundId}: its entry is missing`);
  return round;
}

function targetOf(entries: readonly LoggedEntry[], digest: Sha256): Target {
  for (const { entry } of entries) {
    if (entry.statement.kind === "target" && targetDigestOf(entry.statement.target) === digest) return entry.statement.target;
  }
  throw new VerificationError(`collecting the evidence about target ${digest}: its entry is missing`);
}
