import { type FailedResult, failureReasons } from "@quorate/protocol/result";
import type { ArtifactVerdict, Verdict, VerdictOutcome } from "@quorate/protocol/verdict";
import { shownValues } from "./independence.ts";
import { type Tally, countedResults, enrolmentsFor } from "./tally.ts";

type FailureReason = (typeof failureReasons)[number];

/** Another attempt of a build that failed for one of these would fail again. */
const finalReasons: readonly FailureReason[] = ["build-failed", "nothing-to-compare"];

const maxReasonLength = 500;

/**
 * Why a verdict is `failed` or `inconclusive`, as one line. That of a failure begins with its reason, the one that most operators gave:
 *
 *     build-failed: dh_auto_test: exit code 2 (build, 2 operators)
 */
export function reasonOf(outcome: VerdictOutcome, artifacts: readonly ArtifactVerdict[], tally: Tally): string | undefined {
  if (outcome === "failed") return failureOf(tally);
  if (outcome === "inconclusive") return shorten(doubtOf(artifacts, tally));
  return undefined;
}

/** Whether the network should try a target again after this verdict. */
export function isRetried({ outcome, reason = "" }: Pick<Verdict, "outcome" | "reason">): boolean {
  if (outcome === "failed") return !finalReasons.some((final) => reason.startsWith(`${final}:`));
  return outcome === "inconclusive";
}

function failureOf(tally: Tally): string {
  const failed = countedResults(tally).filter((result) => result.outcome === "failed");
  const byReason = failureReasons.map((reason) => failed.filter(({ failure }) => failure.reason === reason));
  const most = byReason.reduce((largest, group) => (operatorCount(group) > operatorCount(largest) ? group : largest), []);
  const [first] = most;
  if (first === undefined) return "failed";
  const { reason, message, step } = first.failure;
  const count = ` (${step}, ${plural(operatorCount(most), "operator")})`;
  return `${shorten(`${reason}: ${message}`, maxReasonLength - count.length)}${count}`;
}

function doubtOf(artifacts: readonly ArtifactVerdict[], tally: Tally): string {
  const { assessed, policy } = tally;
  if (assessed.length === 0) return "no operator revealed a result";
  const open = artifacts.find(({ outcome }) => outcome !== "reproduced");
  if (open === undefined) return "the target has no artifacts";
  const agreeing = open.digests.find(({ sha256 }) => sha256 === open.reference)?.operators ?? [];
  const agreement = `${agreeing.length} of the ${plural(policy.threshold, "operator")} needed ${agreeing.length === 1 ? "agrees" : "agree"} on ${open.file}`;
  const shown = enrolmentsFor(agreeing, tally);
  const missing = policy.diversity.find(({ group, distinct }) => shownValues(shown, group) < distinct);
  if (agreeing.length >= policy.threshold) {
    return missing === undefined
      ? `${agreement}, but those of one group count once`
      : `${agreement}, but they show ${shownValues(shown, missing.group)} of ${missing.distinct} needed values of ${missing.group}`;
  }
  return [agreement, ...countBy(assessed.map(stateOf))].join("; ");
}

/** `failed: timeout` and the like, or why a result does not count; nothing for a counting build. */
function stateOf({ standing, result }: Tally["assessed"][number]): string | undefined {
  if (standing !== "counted") return standing;
  return result.outcome === "failed" ? `failed: ${result.failure.reason}` : undefined;
}

function countBy(states: readonly (string | undefined)[]): string[] {
  const named = states.filter((state) => state !== undefined);
  return [...new Set(named)].sort().map((state) => `${named.filter((other) => other === state).length} ${state}`);
}

function operatorCount(results: readonly FailedResult[]): number {
  return new Set(results.map(({ operator }) => operator)).size;
}

function plural(count: number, noun: string): string {
  return count === 1 ? `${count} ${noun}` : `${count} ${noun}s`;
}

/** Cuts where a character may be two code units wide. */
function shorten(text: string, length = maxReasonLength): string {
  return text.length <= length ? text : `${text.slice(0, length - 1).toWellFormed()}…`;
}
