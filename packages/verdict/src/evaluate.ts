import type { Sha256 } from "@quorate/protocol/digest";
import type { OperatorId } from "@quorate/protocol/operator";
import type { Policy } from "@quorate/protocol/policy";
import type { ExpectedArtifact } from "@quorate/protocol/target";
import type { ArtifactVerdict, Verdict, VerdictOutcome } from "@quorate/protocol/verdict";
import type { Evidence } from "./evidence.ts";
import { isDiverse } from "./independence.ts";
import { reasonOf } from "./reason.ts";
import { assess, claimedDigest, membersOf } from "./standing.ts";
import { type Tally, countedResults, enrolmentsFor, isQuorum, operatorsWith, votesFor } from "./tally.ts";

/** The part of a verdict that follows from evidence and policy. */
export type Decided = Pick<Verdict, "outcome" | "reason" | "artifacts" | "dissent" | "inputs"> & { readonly kind: "decided" };

export type Decision = Decided | { readonly kind: "undecided"; readonly waitingFor: OperatorId[] };

/**
 * The verdict that evidence gives under a policy. It is decided once every operator of the round has a result, or the round is closed.
 *
 * It depends on the set of evidence alone, not on its order; it counts operators, not items; and it is monotonic: whoever leaves
 * commitments, results, traces or enrolments out never turns another outcome into `reproduced`. (A revocation takes a voice away, so a
 * reader who fears that one is kept from them replays the log.)
 */
export function evaluate(evidence: Evidence, policy: Policy): Decision {
  const members = membersOf(evidence.round);
  const revealed = new Set(evidence.results.map(({ result }) => result.operator));
  const waitingFor = members.filter((operator) => !revealed.has(operator));
  if (waitingFor.length > 0 && !evidence.closed) return { kind: "undecided", waitingFor };
  const tally: Tally = {
    policy,
    assessed: assess(evidence, policy),
    isComplete: members.length - waitingFor.length >= evidence.round.committee.length,
    enrolments: new Map([...evidence.enrolled].map(([operator, { enrolment }]) => [operator, enrolment])),
  };
  return decide(evidence.target.artifacts, tally);
}

function decide(expected: readonly ExpectedArtifact[], tally: Tally): Decided {
  const artifacts = expected.map((artifact) => judge(artifact, tally));
  const outcome = outcomeOf(artifacts.map((artifact) => artifact.outcome));
  const reason = reasonOf(outcome, artifacts, tally);
  return {
    kind: "decided",
    outcome,
    ...(reason === undefined ? {} : { reason }),
    artifacts,
    dissent: dissentOf(outcome, artifacts, tally),
    inputs: tally.assessed.map(({ index, envelope, result, standing }) => ({ index, envelope, operator: result.operator, standing })),
  };
}

/** A target is reproduced only if all its artifacts are; otherwise the loudest outcome of one of them is the target's. */
function outcomeOf(outcomes: readonly VerdictOutcome[]): VerdictOutcome {
  if (outcomes.every((outcome) => outcome === "reproduced")) return "reproduced";
  const loudest = (["mismatch", "unreproducible", "failed"] as const).find((outcome) => outcomes.includes(outcome));
  return loudest ?? "inconclusive";
}

function judge({ file, sha256: reference }: ExpectedArtifact, tally: Tally): ArtifactVerdict {
  const votes = votesFor(file, tally);
  const digests = [...votes]
    .map(([sha256, operators]) => ({ sha256, operators: [...operators].sort() }))
    .sort((a, b) => b.operators.length - a.operators.length || (a.sha256 < b.sha256 ? -1 : 1));
  return { file, reference, outcome: judgeVotes(reference, votes, tally), digests };
}

/** In the order of precedence. That `reproduced` comes first keeps it safe from whatever others add. */
function judgeVotes(reference: Sha256, votes: ReadonlyMap<Sha256, ReadonlySet<OperatorId>>, tally: Tally): VerdictOutcome {
  const agreed = [...votes].filter(([, operators]) => isQuorum(operators, tally)).map(([sha256]) => sha256);
  const agreeing = enrolmentsFor(votes.get(reference) ?? [], tally);
  if (agreed.includes(reference) && isDiverse(agreeing, tally.policy.diversity)) return "reproduced";
  if (agreed.some((sha256) => sha256 !== reference)) return "mismatch";
  // Enough built it that they could have agreed.
  const couldAgree = tally.isComplete && isQuorum(operatorsWith("built", tally), tally);
  if (couldAgree && agreed.length === 0) return "unreproducible";
  return isQuorum(operatorsWith("failed", tally), tally) ? "failed" : "inconclusive";
}

/** Operators with a result that counts and says something else than the verdict does. */
function dissentOf(outcome: VerdictOutcome, artifacts: readonly ArtifactVerdict[], tally: Tally): OperatorId[] {
  if (outcome === "failed") return [...operatorsWith("built", tally)].sort();
  if (outcome !== "reproduced" && outcome !== "mismatch") return [];
  const agreed = artifacts.flatMap((artifact) => agreedDigest(artifact, tally));
  const dissenters = countedResults(tally).filter((result) => agreed.some(({ file, sha256 }) => claimedDigest(result, file) !== sha256));
  return [...new Set(dissenters.map(({ operator }) => operator))].sort();
}

/** What an artifact's verdict says its digest is: the reference, or the one that most agree on instead. */
function agreedDigest({ file, reference, outcome, digests }: ArtifactVerdict, tally: Tally): { file: string; sha256: Sha256 }[] {
  if (outcome === "reproduced") return [{ file, sha256: reference }];
  if (outcome !== "mismatch") return [];
  const other = digests.find(({ sha256, operators }) => sha256 !== reference && isQuorum(operators, tally));
  return other === undefined ? [] : [{ file, sha256: other.sha256 }];
}
