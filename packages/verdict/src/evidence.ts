import { type TraceFile, maxTraceBytes, parseTrace, traceSummaryOfBytes } from "@quorate/attestation/build-trace";
import type { Commitment } from "@quorate/protocol/commitment";
import type { Sha256 } from "@quorate/protocol/digest";
import type { OperatorId } from "@quorate/protocol/operator";
import { ParseError } from "@quorate/protocol/parse-error";
import type { BuiltResult, Result } from "@quorate/protocol/result";
import { type Round, roundIdOf } from "@quorate/protocol/round";
import { type Target, targetDigestOf } from "@quorate/protocol/target";
import { boundedText } from "@quorate/tlog/bounded-text";
import type { Hasher } from "@quorate/tlog/merkle";
import { portableHasher } from "@quorate/tlog/portable-hasher";
import { VerificationError } from "@quorate/tlog/verification-error";
import { type Enrolled, enrolledOf } from "./enrolled.ts";
import type { LoggedEntry } from "./logged-entry.ts";

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
  /** Digest of the target's environment pin, where it is known already. */
  readonly environment?: Sha256;
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

/**
 * The evidence of a round from entries of the log, in any order, with others among them; their signatures have been verified.
 *
 * @param traces bytes of build traces by their SHA-256
 * @param before entries at this index and after it are not looked at: those that a verdict there did not know
 * @throws VerificationError when the target or the round is not among the entries, or a trace's bytes have another digest
 */
export function collectEvidence(collection: {
  entries: readonly LoggedEntry[];
  roundId: Sha256;
  traces: ReadonlyMap<Sha256, Uint8Array>;
  closed: boolean;
  before?: number;
  hasher?: Hasher;
}): Evidence {
  const { roundId, traces, closed, hasher = portableHasher, before = Number.POSITIVE_INFINITY } = collection;
  const entries = collection.entries.filter(({ index }) => index < before).toSorted((a, b) => a.index - b.index);
  const round = roundOf(entries, roundId);
  // Honest builds of one target have one trace: it is read once.
  const read = new Map<Sha256, ReadTrace | undefined>();
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
      const trace = traceNamedBy(result, { traces, read, hasher });
      return [{ index, envelope: entry.digest, result, ...(trace && { trace }) }];
    }),
    enrolled: enrolledOf(entries),
    closed,
  };
}

function traceNamedBy(
  result: Result,
  { traces, read, hasher }: { traces: ReadonlyMap<Sha256, Uint8Array>; read: Map<Sha256, ReadTrace | undefined>; hasher: Hasher },
): readonly TraceFile[] | undefined {
  const sha256 = traceDigestOf(result);
  const bytes = sha256 && traces.get(sha256);
  if (sha256 === undefined || bytes === undefined || result.outcome !== "built") return undefined;
  if (!read.has(sha256)) read.set(sha256, readNamedTrace(sha256, bytes, hasher));
  return traceOf(result, read.get(sha256));
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
export function readTrace(result: BuiltResult, bytes: Uint8Array, hasher: Hasher = portableHasher): readonly TraceFile[] | undefined {
  return traceOf(result, readNamedTrace(traceDigestOf(result), bytes, hasher));
}

function readNamedTrace(expected: Sha256 | undefined, bytes: Uint8Array, hasher: Hasher): ReadTrace | undefined {
  if (hasher.digest(bytes) !== expected) throw new VerificationError(`reading build trace ${expected}: the bytes have another digest`);
  return readTraceText(bytes, hasher);
}

export type ReadTrace = { readonly files: readonly TraceFile[]; readonly summary: BuiltResult["trace"] };

/** A trace's bytes, whichever results name them; `undefined` for what is no trace. */
export function readTraceText(bytes: Uint8Array, hasher: Hasher): ReadTrace | undefined {
  try {
    const text = boundedText("build trace", bytes, maxTraceBytes);
    return { files: parseTrace(text), summary: traceSummaryOfBytes(bytes, hasher) };
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

/** A trace's files, if the trace is the one that the result's signed summary describes. */
export function traceOf({ trace }: BuiltResult, read: ReadTrace | undefined): readonly TraceFile[] | undefined {
  const isDescribed = read !== undefined && read.summary.rootSha256 === trace.rootSha256 && read.summary.files === trace.files;
  return isDescribed ? read.files : undefined;
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
