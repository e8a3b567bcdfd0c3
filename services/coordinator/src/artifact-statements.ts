import type { Result } from "@quorate/protocol/result";
import type { Target } from "@quorate/protocol/target";
import { unreachable } from "@quorate/protocol/unreachable";
import type { Verdict, VerdictOutcome } from "@quorate/protocol/verdict";
import { claimedDigest } from "@quorate/verdict/standing";

export type ArtifactStatus = "good" | "bad" | "failed" | "unknown";

/** What a party says of one published artifact. */
export type ArtifactStatement = {
  file: string;
  status: ArtifactStatus;
  /** Log index of the result that this rests on. */
  result?: number | undefined;
  /** Whether there is an in-toto link of that result for this file. */
  linked: boolean;
};

/** What an operator's result says of each artifact of the target. `linked` are the files that it has signed a link for. */
export function statementsOfResult(
  { result, index }: { result: Result; index: number },
  target: Target,
  linked: ReadonlySet<string>,
): ArtifactStatement[] {
  return target.artifacts.map(({ file, sha256 }) => {
    const claimed = claimedDigest(result, file);
    const built = claimed === sha256 ? "good" : "bad";
    return { file, status: result.outcome === "failed" ? "failed" : built, result: index, linked: linked.has(file) };
  });
}

/** What the network's verdict says of each artifact, and the first result that agrees with it. */
export function statementsOfVerdict(verdict: Verdict): ArtifactStatement[] {
  const counted = verdict.inputs.filter(({ standing }) => standing === "counted").sort((a, b) => a.index - b.index);
  return verdict.artifacts.map(({ file, outcome, digests }) => {
    const agreeing = outcome === "failed" ? undefined : digests[0]?.operators;
    const first = counted.find(({ operator }) => agreeing === undefined || agreeing.includes(operator));
    return { file, status: statusOf(outcome), result: first?.index, linked: false };
  });
}

/** A build that failed, or a round that came to nothing, says nothing against the package. */
function statusOf(outcome: VerdictOutcome): ArtifactStatus {
  switch (outcome) {
    case "reproduced":
      return "good";
    case "mismatch":
    case "unreproducible":
      return "bad";
    case "failed":
      return "failed";
    case "inconclusive":
      return "unknown";
    default:
      return unreachable(outcome);
  }
}
