import { type Sha256, sha256Of } from "@quorate/protocol/digest";
import { operatorIdOf } from "@quorate/protocol/operator";
import type { JobView, RoundView, SubmissionView } from "@quorate/protocol/submission";
import type { Verdict, VerdictOutcome } from "@quorate/protocol/verdict";
import { utf8 } from "@quorate/protocol/utf8";

export const digest = (text: string): Sha256 => sha256Of(utf8(text));

/** A time so many seconds after the submission. */
export const at = (seconds: number): string => new Date(Date.UTC(2026, 10, 23, 9, 0, 0) + seconds * 1000).toISOString();

export function jobOf(operatorName: string, changes: Partial<JobView> = {}): JobView {
  const operator = operatorIdOf(utf8(operatorName));
  return { job: `${digest("round").slice(0, 32)}-${operator}`, operator, operatorName, phase: "queued", ...changes };
}

export function roundOf(changes: Partial<RoundView> = {}): RoundView {
  return {
    round: digest("round"),
    target: digest("target"),
    attempt: 1,
    distribution: "debian",
    suite: "bookworm",
    source: "mailgraph",
    version: "1.14-19",
    architecture: "all",
    state: "building",
    policy: digest("policy"),
    submittedAt: at(0),
    jobs: [jobOf("alder"), jobOf("birch"), jobOf("cedar")],
    ...changes,
  };
}

/** Two of three got the published file. */
export function verdictOf(outcome: VerdictOutcome): Verdict {
  const [alder, birch, cedar] = ["alder", "birch", "cedar"].map((name) => operatorIdOf(utf8(name)));
  if (!alder || !birch || !cedar) throw new Error("three names");
  const digests = [
    { sha256: digest("published"), operators: [alder, birch] },
    { sha256: digest("another"), operators: [cedar] },
  ];
  return {
    target: digest("target"),
    round: digest("round"),
    policy: digest("policy"),
    outcome,
    artifacts: [{ file: "mailgraph_1.14-19_all.deb", reference: digest("published"), outcome, digests }],
    dissent: [cedar],
    inputs: [],
    decidedAt: "2026-11-23T09:00:20Z",
  };
}

export function submissionOf(...rounds: RoundView[]): SubmissionView {
  return { id: digest("submission"), request: { distribution: "debian", suite: "bookworm", source: "mailgraph" }, rounds };
}
