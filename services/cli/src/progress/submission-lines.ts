import type { JobPhase } from "@quorate/protocol/job";
import type { JobView, RoundView, SubmissionView } from "@quorate/protocol/submission";
import { formatDuration } from "./duration.ts";

/** What people read for each phase of a job. */
const phaseWords: Record<JobPhase, string> = {
  queued: "waiting for its worker",
  fetching: "fetching the source",
  environment: "preparing the build environment",
  building: "building",
  attesting: "hashing and signing",
  committed: "committed",
  revealed: "revealed",
};

const stateWords: Record<RoundView["state"], string> = {
  planned: "drawing the committee",
  building: "rebuilding",
  revealing: "revealing",
  settling: "reaching a verdict",
  settled: "settled",
};

/** A submission as lines for a terminal: a line for each round, and one for each operator in it. */
export function submissionLines(submission: Pick<SubmissionView, "rounds">, now: Date): string[] {
  return submission.rounds.flatMap((round) => roundLines(round, now));
}

function roundLines(round: RoundView, now: Date): string[] {
  const elapsed = secondsBetween(round.submittedAt, round.settledAt ?? now.toISOString());
  const outcome = round.verdict?.outcome ?? stateWords[round.state];
  const width = Math.max(0, ...round.jobs.map(({ operatorName }) => operatorName.length));
  return [
    `${roundName(round)}: ${outcome}, ${formatDuration(elapsed)}`,
    ...round.jobs.map((job) => `  ${job.operatorName.padEnd(width)}  ${jobText(job, now)}`),
  ];
}

export function roundName({ distribution, suite, source, version, architecture }: RoundView): string {
  return `${distribution}/${suite} ${source} ${version} (${architecture})`;
}

/** What an operator does: `building, 4.0 s of about 6.0 s: dh_auto_build`. */
export function jobText(job: JobView, now: Date): string {
  const { outcome, activity, estimateSeconds } = job;
  const words =
    outcome === "declined" ? "declined" : outcome === "failed" ? `${phaseWords[job.phase]}: its build failed` : phaseWords[job.phase];
  const elapsed = jobSeconds(job, now);
  if (elapsed === undefined) return words;
  const done = job.committedAt !== undefined || outcome !== undefined;
  const estimate = done || estimateSeconds === undefined ? "" : ` of about ${formatDuration(estimateSeconds)}`;
  const detail = done || activity === undefined ? "" : `: ${activity}`;
  return `${words}, ${formatDuration(elapsed)}${estimate}${detail}`;
}

/** From the start of the job to its commitment, or to now. */
export function jobSeconds({ startedAt, committedAt }: JobView, now: Date): number | undefined {
  return startedAt === undefined ? undefined : secondsBetween(startedAt, committedAt ?? now.toISOString());
}

export function secondsBetween(from: string, to: string): number {
  return Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000);
}
