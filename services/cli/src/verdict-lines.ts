import type { RoundView, SubmissionView } from "@quorate/protocol/submission";
import type { ArtifactVerdict, VerdictInput } from "@quorate/protocol/verdict";
import { roundName } from "./progress/submission-lines.ts";

/** Why a result did not count, for people. */
const standingWords: Record<Exclude<VerdictInput["standing"], "counted">, string> = {
  "not-enrolled": "its operator was not enrolled",
  "not-in-committee": "its operator was not drawn for the round",
  "not-committed": "it was not committed to before the first reveal",
  duplicate: "it repeats an earlier one",
  "wrong-environment": "it is of another environment or target",
  "trace-contradicted": "its build trace contradicts the others'",
  uncorroborated: "there is no other build trace to compare its own with",
  traceless: "it gives no build trace to speak of",
};

/** Reproduced: every target of the submission is. */
export function isReproduced(submission: SubmissionView): boolean {
  return submission.rounds.length > 0 && submission.rounds.every((round) => round.verdict?.outcome === "reproduced");
}

/** What came out, for people: the verdict of each round, and what each operator got where they do not all agree. */
export function verdictLines(submission: SubmissionView): string[] {
  return submission.rounds.flatMap(roundVerdictLines);
}

export function roundVerdictLines(round: RoundView): string[] {
  const { verdict, verdictIndex } = round;
  if (!verdict) return [`${roundName(round)}: ${round.state}${round.reason === undefined ? "" : `, ${round.reason}`}`];
  const reason = verdict.reason === undefined ? "" : `: ${verdict.reason}`;
  const nameOf = (operator: string): string => round.jobs.find((job) => job.operator === operator)?.operatorName ?? operator;
  return [
    `${roundName(round)}: ${verdict.outcome}${reason} (log entry ${verdictIndex})`,
    ...verdict.artifacts.flatMap((artifact) => artifactLines(artifact, nameOf)),
    ...(verdict.dissent.length > 0 ? [`  dissenting: ${verdict.dissent.map(nameOf).join(", ")}`] : []),
    ...verdict.inputs.flatMap(({ operator, standing }) =>
      standing === "counted" ? [] : [`  not counted: ${nameOf(operator)} (${standingWords[standing]})`],
    ),
    ...comparisonLines(verdict.inputs),
    ...unrevealedLines(round),
  ];
}

/** Each result whose trace is contradicted, beside the one that says most: one that counts, if any does. */
function comparisonLines(inputs: readonly VerdictInput[]): string[] {
  return inputs.flatMap(({ index, operator, standing }) => {
    if (standing !== "trace-contradicted") return [];
    const others = inputs.filter((input) => input.operator !== operator);
    const other = others.find((input) => input.standing === "counted") ?? others.find((input) => input.standing === standing);
    return other === undefined ? [] : [`  how its trace differs: quorate trace diff ${index} ${other.index}`];
  });
}

function unrevealedLines({ jobs }: RoundView): string[] {
  const names = jobs.filter(({ committedAt, phase }) => committedAt !== undefined && phase !== "revealed").map((job) => job.operatorName);
  return names.length > 0 ? [`  committed, and never revealed: ${names.join(", ")}`] : [];
}

function artifactLines({ file, reference, outcome, digests }: ArtifactVerdict, nameOf: (operator: string) => string): string[] {
  return [
    `  ${file}: ${outcome}`,
    `    published    ${reference}`,
    ...digests.map(({ sha256, operators }) => {
      const mark = sha256 === reference ? "=" : "≠";
      return `    rebuilt    ${mark} ${sha256}  ${operators.map(nameOf).join(", ")}`;
    }),
  ];
}
