import { type TraceFile, traceSummaryOf } from "@quorate/attestation/build-trace";
import { digestOf, operatorOf, sampleBuilt, sampleFailed, sampleRound, sampleTarget } from "@quorate/attestation/nouns.fixture";
import { formatCanonicalJson } from "@quorate/protocol/canonical-json";
import type { Enrolment, Groups, OperatorId } from "@quorate/protocol/operator";
import { type Policy, defaultPolicy } from "@quorate/protocol/policy";
import type { Failure, Result } from "@quorate/protocol/result";
import { type Round, roundIdOf } from "@quorate/protocol/round";
import type { Decided } from "./evaluate.ts";
import { evaluate } from "./evaluate.ts";
import type { Enrolled } from "./enrolled.ts";
import type { Evidence, LoggedCommitment, LoggedResult } from "./evidence.ts";

/** For tests: results in a few words. What an operator says is the name of a digest; the artifact's reference is `reference`. */
export type Said = {
  by: string;
  /** Names a digest for every artifact of the target; absent: it says nothing of them. */
  digest?: string;
  failure?: Failure;
  /** Contents of the trace's files, in order; two operators whose lists are equal made the same files. */
  trace?: readonly string[];
  /** Left out: the operator's trace is signed but not at hand. */
  traceMissing?: boolean;
  committedAt?: number;
  revealedAt?: number;
  nonce?: number;
  environment?: string;
};

const firstCommitment = 10;
const firstReveal = 100;

export function traceOf(contents: readonly string[]): TraceFile[] {
  return contents.map((content, index) => ({ path: `build/file-${index}.o`, sizeBytes: content.length, sha256: digestOf(content) }));
}

export function enrolmentOf(name: string, groups: Groups = {}): Enrolment {
  const operator = operatorOf(name);
  return { action: "enrol", operator, name, identityKey: "YWRh", groups, architectures: ["amd64", "all"], ecosystems: ["debian"] };
}

export function enrolledOf(groups: Record<string, Groups>): Map<OperatorId, Enrolled> {
  return new Map(
    Object.entries(groups).map(([name, of], index) => [
      operatorOf(name),
      { enrolment: enrolmentOf(name, of), enrolledAt: index, rotations: [] },
    ]),
  );
}

export function roundOf(committee: readonly string[], standIns: readonly string[] = [], standInsCalled = 0): Round {
  return { ...sampleRound, committee: committee.map(operatorOf), standIns: standIns.map(operatorOf), standInsCalled };
}

export function evidenceOf(said: readonly Said[], changes: Partial<Evidence> = {}): Evidence {
  const round = changes.round ?? roundOf(["ada", "bert", "cyd"]);
  const logged = said.map((words, position) => loggedOf(words, position, round));
  return {
    target: sampleTarget,
    targetDigest: sampleRound.target,
    round,
    roundId: roundIdOf(round.target, round.attempt),
    commitments: logged.flatMap(({ commitment }) => commitment),
    results: logged.map(({ result }) => result),
    enrolled: enrolledOf({ ada: {}, bert: {}, cyd: {}, dora: {} }),
    closed: true,
    ...changes,
  };
}

/** The decision about closed evidence. */
export function decide(said: readonly Said[], policy: Partial<Policy> = {}, changes: Partial<Evidence> = {}): Decided {
  const decision = evaluate(evidenceOf(said, changes), { ...defaultPolicy, ...policy });
  if (decision.kind !== "decided") throw new Error("undecided");
  return decision;
}

function loggedOf(words: Said, position: number, round: Round): { commitment: LoggedCommitment[]; result: LoggedResult } {
  const trace = traceOf(words.trace ?? []);
  const result = resultOf(words, trace);
  const envelope = digestOf(formatCanonicalJson([result, words.nonce ?? 0, words.revealedAt ?? position]));
  const committedAt = words.committedAt ?? firstCommitment + position;
  const statement = { round: roundIdOf(round.target, round.attempt), operator: result.operator, fence: 1, envelope };
  return {
    commitment: committedAt < 0 ? [] : [{ index: committedAt, statement }],
    result: { index: words.revealedAt ?? firstReveal + position, envelope, result, ...(words.traceMissing === true ? {} : { trace }) },
  };
}

function resultOf({ by, digest, failure, environment }: Said, trace: readonly TraceFile[]): Result {
  const operator = operatorOf(by);
  if (failure !== undefined) return { ...sampleFailed, operator, failure };
  const named = sampleTarget.artifacts.map(({ file, sizeBytes }) => ({ name: file, sizeBytes, sha256: digestOf(digest ?? "") }));
  const artifacts = digest === undefined ? [{ name: "other.deb", sizeBytes: 1, sha256: digestOf("other") }] : named;
  const pin = environment === undefined ? sampleBuilt.environment : digestOf(environment);
  return { ...sampleBuilt, operator, artifacts, environment: pin, trace: traceSummaryOf(trace) };
}
