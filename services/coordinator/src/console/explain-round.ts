import { unreachable } from "@quorate/protocol/unreachable";
import { isLost, type JobFacts, type RoundFacts } from "../plan.ts";

type ExplainedJob = JobFacts & { readonly operatorName: string };

export type Explained = Omit<RoundFacts<ExplainedJob>, "threshold"> & {
  readonly reason?: string | undefined;
  readonly failures: number;
  readonly nextTryAt?: Date | undefined;
};

/** What a round waits for, for whoever runs the network; `stuck` if it does not go on by itself, or not in its time. */
export type RoundWait = { readonly stuck: boolean; readonly why: string };

/** Says why a round has no verdict yet, from the same facts that its next step is planned from. */
export function explainRound(round: Explained, now: Date, silenceSeconds: number): RoundWait {
  if (round.failures > 0) {
    const failed = round.failures === 1 ? "its step failed" : `its step failed ${round.failures} times in a row`;
    const next = round.nextTryAt === undefined ? "" : `; it is tried again at ${round.nextTryAt.toISOString()}`;
    return { stuck: true, why: `${failed}: ${round.reason ?? "no reason is known"}${next}` };
  }
  switch (round.state) {
    case "planned":
      return { stuck: round.reason !== undefined, why: round.reason ?? "its committee is about to be drawn" };
    case "building":
      return explainBuilding(round, now, silenceSeconds);
    case "revealing":
      return {
        stuck: false,
        why: `waits for the reveals of ${namesOf(round.jobs.filter(({ committedAt, revealedAt }) => committedAt && !revealedAt))}`,
      };
    case "settling":
      return { stuck: false, why: "its verdict is being logged" };
    case "settled":
      return { stuck: false, why: "it is settled" };
    default:
      return unreachable(round.state);
  }
}

function explainBuilding({ jobs, commitBy }: Explained, now: Date, silenceSeconds: number): RoundWait {
  const declined = jobs.filter(({ outcome }) => outcome === "declined");
  const lost = jobs.filter((job) => isLost(job, now, silenceSeconds) && job.outcome !== "declined");
  const waiting = jobs.filter((job) => !job.committedAt && !lost.includes(job) && !declined.includes(job));
  const parts = [
    waiting.length > 0 &&
      `waits for ${waiting.map((job) => `${job.operatorName} (${job.startedAt ? "building" : "not started"})`).join(", ")}`,
    lost.length > 0 && `nothing is heard of ${namesOf(lost)}`,
    declined.length > 0 && `${namesOf(declined)} declined`,
    commitBy && `until ${commitBy.toISOString()}`,
  ];
  return { stuck: lost.length > 0, why: parts.filter((part) => typeof part === "string").join("; ") };
}

function namesOf(jobs: readonly ExplainedJob[]): string {
  return jobs.map(({ operatorName }) => operatorName).join(", ");
}
