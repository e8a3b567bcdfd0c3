import type { OperatorId } from "@quorate/protocol/operator";
import { unreachable } from "@quorate/protocol/unreachable";
import type { ArtifactFacts } from "../artifact-facts.ts";

/** What the newest verdict means for one artifact, in one plain sentence. */
export function verdictSentence(facts: ArtifactFacts): string {
  const { artifact, target, newest } = facts;
  const what = `${artifact.package} ${artifact.version} (${artifact.architecture})`;
  if (newest === undefined) return `${what} has no verdict yet: it is submitted, and operators are to rebuild it.`;
  const { said, ruling, round } = newest;
  const drawn = round.round.committee.length + round.round.standInsCalled;
  const groups = said?.digests ?? [];
  const agreeing = groups.find(({ sha256 }) => sha256 === artifact.sha256)?.operators ?? [];
  const [largest] = groups.filter(({ sha256 }) => sha256 !== artifact.sha256);
  const reason = ruling.verdict.reason === undefined ? "" : `: ${ruling.verdict.reason}`;
  const outcome = said?.outcome ?? ruling.verdict.outcome;
  switch (outcome) {
    case "reproduced":
      return `${agreeing.length} of ${drawn} operators rebuilt ${what} and got exactly the bytes that ${target.distribution} published.`;
    case "mismatch":
      return `${named(largest?.operators ?? [], facts)} agree on other bytes than those that ${target.distribution} published as ${what}.`;
    case "unreproducible":
      return `Every operator rebuilt ${what}, and too few of them got the same bytes: ${groups.length} different results of ${drawn} operators.`;
    case "failed":
      return `Operators signed that ${what} does not build from its source${reason}.`;
    case "inconclusive":
      return `There is no answer on ${what}: too few results came in time${reason}.`;
    default:
      return unreachable(outcome);
  }
}

function named(operators: readonly OperatorId[], facts: ArtifactFacts): string {
  const names = operators.map((id) => facts.operators.get(id)?.enrolment.name ?? id);
  return names.length < 2 ? (names[0] ?? "Operators") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
