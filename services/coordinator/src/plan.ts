import type { OperatorId } from "@quorate/protocol/operator";
import type { Round } from "@quorate/protocol/round";
import type { RoundState } from "@quorate/protocol/submission";
import { unreachable } from "@quorate/protocol/unreachable";

/** What is known of one operator's part in a round. */
export type JobFacts = {
  job: string;
  operator: OperatorId;
  publishedAt?: Date | undefined;
  startedAt?: Date | undefined;
  /** When its worker last gave a sign of life, if that is known; of a job that has not started, any of the operator's workers. */
  heardAt?: Date | undefined;
  committedAt?: Date | undefined;
  revealedAt?: Date | undefined;
  outcome?: "built" | "failed" | "declined" | undefined;
};

export type RoundFacts<Job extends JobFacts = JobFacts> = {
  state: RoundState;
  statement?: Round | undefined;
  commitBy?: Date | undefined;
  revealBy?: Date | undefined;
  jobs: readonly Job[];
  /** k of the round's policy. */
  threshold: number;
};

/** The one thing that a round needs next. */
export type RoundStep<Job extends JobFacts = JobFacts> =
  | { kind: "draw" }
  | { kind: "publish"; jobs: Job[] }
  | { kind: "call-stand-in"; operator: OperatorId }
  | { kind: "start-reveal" }
  | { kind: "ask-reveal"; jobs: Job[] }
  | { kind: "close" }
  | { kind: "settle" }
  | { kind: "wait" }
  | { kind: "nothing" };

/** Decides a round's next step from the facts alone, so that it does not matter who asks, how often, or after which crash. */
export function planStep<Job extends JobFacts>(facts: RoundFacts<Job>, now: Date, silenceSeconds: number): RoundStep<Job> {
  switch (facts.state) {
    case "planned":
      return { kind: "draw" };
    case "building":
      return planBuilding(facts, now, silenceSeconds);
    case "revealing":
      return planRevealing(facts, now);
    case "settling":
      return { kind: "settle" };
    case "settled":
      return { kind: "nothing" };
    default:
      return unreachable(facts.state);
  }
}

function planBuilding<Job extends JobFacts>(facts: RoundFacts<Job>, now: Date, silenceSeconds: number): RoundStep<Job> {
  const { jobs, threshold } = facts;
  const unpublished = jobs.filter((job) => !job.publishedAt && !job.outcome && !job.committedAt);
  if (unpublished.length > 0) return { kind: "publish", jobs: unpublished };

  const late = isPast(facts.commitBy, now);
  const lost = jobs.filter((job) => isLost(job, now, silenceSeconds));
  const standIn = nextStandIn(facts.statement);
  if (!late && standIn && facts.statement && lost.length > facts.statement.standInsCalled)
    return { kind: "call-stand-in", operator: standIn };

  const committed = jobs.filter((job) => job.committedAt);
  const pending = jobs.filter((job) => !job.committedAt && !lost.includes(job));
  if (committed.length >= threshold) return late || pending.length === 0 ? { kind: "start-reveal" } : { kind: "wait" };
  // A silent worker may still come back before the deadline; one that declined will not.
  const hopeless = pending.length === 0 && lost.every((job) => job.outcome === "declined");
  return late || hopeless ? { kind: "close" } : { kind: "wait" };
}

function planRevealing<Job extends JobFacts>(facts: RoundFacts<Job>, now: Date): RoundStep<Job> {
  const owing = facts.jobs.filter((job) => job.committedAt && !job.revealedAt && job.outcome !== "declined");
  if (owing.length === 0 || isPast(facts.revealBy, now)) return { kind: "close" };
  return { kind: "ask-reveal", jobs: owing };
}

/** Lost for now: it declined, has not started in time, or has not been heard of for as long. */
export function isLost(job: JobFacts, now: Date, silenceSeconds: number): boolean {
  if (job.outcome === "declined") return true;
  if (job.committedAt || !job.publishedAt) return false;
  const lastSign = Math.max(job.publishedAt.getTime(), job.startedAt?.getTime() ?? 0, job.heardAt?.getTime() ?? 0);
  return now.getTime() - lastSign >= silenceSeconds * 1000;
}

function nextStandIn(statement: Round | undefined): OperatorId | undefined {
  return statement?.standIns[statement.standInsCalled];
}

function isPast(deadline: Date | undefined, now: Date): boolean {
  return deadline !== undefined && now >= deadline;
}

/** Why a committee cannot be drawn yet, for people; `undefined` when it can. */
export function missingOperators(have: { able: number; threshold: number; architecture: string }): string | undefined {
  if (have.able >= have.threshold) return undefined;
  const what = have.architecture === "all" ? "architecture-independent packages" : `packages for ${have.architecture}`;
  return `waiting for operators: ${have.threshold} that build ${what} are needed, ${have.able} enrolled; it starts by itself when enough have joined`;
}

/** After the nth failure of a step in a row: 1, 2, 4 … at most 60 seconds. */
export function nextTryAt(failures: number, now: Date): Date {
  return new Date(now.getTime() + Math.min(60_000, 1000 * 2 ** Math.min(failures - 1, 10)));
}
