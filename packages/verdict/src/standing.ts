import { compareTraces } from "@quorate/attestation/build-trace";
import type { Sha256 } from "@quorate/protocol/digest";
import type { Enrolment, OperatorId } from "@quorate/protocol/operator";
import type { Policy } from "@quorate/protocol/policy";
import type { Result } from "@quorate/protocol/result";
import { environmentPinDigestOf } from "@quorate/protocol/target";
import type { VerdictInput } from "@quorate/protocol/verdict";
import { isEnrolledAt } from "./enrolled.ts";
import type { Evidence, LoggedResult } from "./evidence.ts";
import { countOnce } from "./independence.ts";
import { agreementOf } from "./trace-agreement.ts";

export type Standing = VerdictInput["standing"];

/** A result whose operator is known, with whether it counts. */
export type Assessed = LoggedResult & { readonly standing: Standing };

/**
 * Whether each result counts, by index.
 *
 * Every rule looks at the result itself or asks whether some other evidence *exists*, so that more evidence never makes a result count
 * less. Two things follow. A trace needs one other operator's that agrees, whoever else contradicts it. And of two different results of
 * one operator both stand, each for what it says (an operator still counts once for a digest, and dissents from itself); only one that
 * repeats an earlier one is a `duplicate`.
 */
export function assess(evidence: Evidence, policy: Policy): Assessed[] {
  const results = inOrder(evidence.results);
  const firstReveal = Math.min(evidence.firstReveal ?? Number.POSITIVE_INFINITY, ...results.slice(0, 1).map(({ index }) => index));
  const environment = evidence.environment ?? environmentPinDigestOf(evidence.target.environment);
  const admitted = results.map((logged) => ({ logged, refusal: refusalOf(logged, { evidence, firstReveal, environment }) }));
  const eligible = admitted.filter(({ refusal }) => refusal === undefined).map(({ logged }) => logged);
  const said = new Set<string>();
  return admitted.map(({ logged, refusal }) => {
    const standing = refusal ?? traceStanding(logged, { eligible, evidence, policy });
    if (standing !== "counted") return { ...logged, standing };
    const what = `${logged.result.operator} ${statedBy(logged.result, evidence)}`;
    const repeated = said.has(what);
    said.add(what);
    return { ...logged, standing: repeated ? "duplicate" : standing };
  });
}

/** The operators of a round: the committee, and the stand-ins that have been called. */
export function membersOf({ committee, standIns, standInsCalled }: Evidence["round"]): readonly OperatorId[] {
  return [...committee, ...standIns.slice(0, standInsCalled)];
}

/** By index; a result that was given twice is one result, with its trace if it was given with it once. */
function inOrder(results: readonly LoggedResult[]): LoggedResult[] {
  const items = new Map<string, LoggedResult>();
  for (const result of results) {
    const place = `${result.index} ${result.envelope}`;
    if (items.get(place)?.trace === undefined) items.set(place, result);
  }
  return [...items.values()].sort((a, b) => a.index - b.index || (a.envelope < b.envelope ? -1 : 1));
}

type Admission = { readonly evidence: Evidence; readonly firstReveal: number; readonly environment: Sha256 };

function refusalOf(logged: LoggedResult, { evidence, firstReveal, environment }: Admission): Standing | undefined {
  const { index, envelope, result } = logged;
  const { round, roundId, targetDigest, target, enrolled, commitments } = evidence;
  if (!isEnrolledAt(enrolled.get(result.operator), index)) return "not-enrolled";
  if (!membersOf(round).includes(result.operator)) return "not-in-committee";
  const isCommitted = commitments.some(
    ({ index: committedAt, statement }) =>
      committedAt < firstReveal && statement.round === roundId && statement.operator === result.operator && statement.envelope === envelope,
  );
  if (!isCommitted || result.round !== roundId) return "not-committed";
  const isOfTarget =
    result.target === targetDigest &&
    result.environment === environment &&
    result.source === target.source &&
    result.version === target.version &&
    result.architecture === target.architecture;
  return isOfTarget ? undefined : "wrong-environment";
}

type Comparison = { readonly eligible: readonly LoggedResult[]; readonly evidence: Evidence; readonly policy: Policy };

function traceStanding(logged: LoggedResult, { eligible, evidence, policy }: Comparison): Standing {
  const { result, trace = [] } = logged;
  // A policy that one operator satisfies has no second one whose trace could agree.
  if (result.outcome === "failed" || policy.threshold < 2) return "counted";
  // By what the operator signed, not by what is at hand: a trace that was left out must not pass for a poor one.
  if (result.trace.files < policy.trace.minimumFiles) return policy.trace.countTraceless ? "counted" : "traceless";
  const enrolment = evidence.enrolled.get(result.operator)?.enrolment;
  const agreements = eligible
    .filter((other) => isIndependent(enrolment, evidence.enrolled.get(other.result.operator)?.enrolment, policy))
    .map((other) => agreementOf(compareTraces(trace, other.trace ?? []), policy.trace));
  if (agreements.includes("corroborates")) return "counted";
  return agreements.includes("contradicts") ? "trace-contradicted" : "uncorroborated";
}

function isIndependent(a: Enrolment | undefined, b: Enrolment | undefined, { countOnceBy }: Policy): boolean {
  return a !== undefined && b !== undefined && !countOnce(a, b, countOnceBy);
}

/** The digest that a result claims for an artifact of the target; a failed one claims none. */
export function claimedDigest(result: Result, file: string): Sha256 | undefined {
  return result.outcome === "failed" ? undefined : result.artifacts.find(({ name }) => name === file)?.sha256;
}

function statedBy(result: Result, { target }: Evidence): string {
  return result.outcome === "failed" ? "failed" : target.artifacts.map(({ file }) => claimedDigest(result, file) ?? "-").join(" ");
}
