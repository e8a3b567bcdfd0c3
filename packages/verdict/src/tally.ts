import type { Sha256 } from "@quorate/protocol/digest";
import type { Enrolment, OperatorId } from "@quorate/protocol/operator";
import type { Policy } from "@quorate/protocol/policy";
import type { Result } from "@quorate/protocol/result";
import { hasIndependent } from "./independence.ts";
import { type Assessed, claimedDigest } from "./standing.ts";

/** The results of a round as assessed, and the rules for counting them. */
export type Tally = {
  readonly policy: Policy;
  readonly assessed: readonly Assessed[];
  /** As many of the round's operators as a committee has have revealed: disagreement is not for want of results. */
  readonly isComplete: boolean;
  readonly enrolments: ReadonlyMap<OperatorId, Enrolment>;
};

/** The results that count. */
export function countedResults({ assessed }: Tally): Result[] {
  return assessed.filter(({ standing }) => standing === "counted").map(({ result }) => result);
}

/** Operators with a counting result of this outcome, each once. */
export function operatorsWith(outcome: Result["outcome"], tally: Tally): ReadonlySet<OperatorId> {
  return new Set(
    countedResults(tally)
      .filter((result) => result.outcome === outcome)
      .map(({ operator }) => operator),
  );
}

/** The operators that claim each digest for an artifact. */
export function votesFor(file: string, tally: Tally): Map<Sha256, Set<OperatorId>> {
  const votes = new Map<Sha256, Set<OperatorId>>();
  for (const result of countedResults(tally)) {
    const sha256 = claimedDigest(result, file);
    if (sha256 !== undefined) votes.set(sha256, (votes.get(sha256) ?? new Set()).add(result.operator));
  }
  return votes;
}

/** Whether as many independent operators are among these as the policy's threshold. */
export function isQuorum(operators: Iterable<OperatorId>, tally: Tally): boolean {
  return hasIndependent(enrolmentsFor(operators, tally), tally.policy.threshold, tally.policy.countOnceBy);
}

export function enrolmentsFor(operators: Iterable<OperatorId>, { enrolments }: Tally): Enrolment[] {
  return [...operators].flatMap((operator) => enrolments.get(operator) ?? []);
}
