import type { RoundView, SubmissionView } from "@quorate/protocol/submission";
import type { ArtifactVerdict } from "@quorate/protocol/verdict";
import { roundName } from "./progress/submission-lines.ts";

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
  ];
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
