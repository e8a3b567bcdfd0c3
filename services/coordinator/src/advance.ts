import type { CoordinatorBus } from "@quorate/bus/coordinator-bus";
import type { Sha256 } from "@quorate/protocol/digest";
import { unreachable } from "@quorate/protocol/unreachable";
import type { BlobStore } from "./blob-store.ts";
import type { Database } from "./database.ts";
import { drawRound } from "./draw.ts";
import type { CoordinatorEvents } from "./events.ts";
import type { LiveBoard } from "./live-board.ts";
import type { NetworkLog } from "./network-log.ts";
import type { PolicyTurns } from "./policy-turns.ts";
import { nextTryAt, planStep, type RoundStep } from "./plan.ts";
import { publishJobs } from "./publish.ts";
import { logAllReceived } from "./received.ts";
import { settleRound } from "./settle.ts";
import { callStandIn } from "./stand-in.ts";
import { loadJobs, type StoredJob } from "./store/jobs.ts";
import { loadPolicy } from "./store/policies.ts";
import { findRound, saveRevealing, saveSettling, saveStepFailed, saveStepSucceeded, type StoredRound } from "./store/rounds.ts";
import type { UploadTickets } from "./upload-ticket.ts";

export type AdvanceDependencies = {
  db: Database;
  log: NetworkLog;
  policyTurns: PolicyTurns;
  bus: Pick<CoordinatorBus, "publishJob" | "sendControl">;
  blobs: BlobStore;
  tickets: UploadTickets;
  board: LiveBoard;
  events: CoordinatorEvents;
  now: () => Date;
  /** A worker that is not heard of for this long is silent: a stand-in is called. */
  silenceSeconds: number;
  /** Before this, nobody could be heard. */
  listeningSince: Date;
  changed: (round: Sha256) => void;
};

type JobNow = StoredJob & { heardAt: Date };

/** Steps in a row that one call takes at most: a round needs far fewer, and none may keep a lane for ever. */
const maxSteps = 100;

/** Takes a round as far as it goes by now. Whoever calls it, how often, and after which crash makes no difference. */
export async function advanceRound(dependencies: AdvanceDependencies, id: string): Promise<void> {
  const { db, events, now } = dependencies;
  let round = await findRound(db, id);
  try {
    for (let steps = 0; round && steps < maxSteps; steps++) {
      const startedAt = performance.now();
      const step = await planNext(dependencies, round);
      const goesOn = await takeStep(dependencies, round, step);
      if (step.kind !== "wait" && step.kind !== "nothing" && step.kind !== "ask-reveal") {
        events.stepTaken(round.round, step.kind, Math.round(performance.now() - startedAt) / 1000);
      }
      if (!goesOn) break;
      if (round.failures > 0) await saveStepSucceeded(db, round.round);
      dependencies.changed(round.round);
      round = await findRound(db, id);
    }
  } catch (error) {
    if (!round) throw error;
    const failures = round.failures + 1;
    const next = nextTryAt(failures, now());
    events.stepFailed(round.round, error, next);
    await saveStepFailed(db, round.round, { failures, nextTryAt: next, reason: error instanceof Error ? error.message : String(error) });
    dependencies.changed(round.round);
  }
}

async function planNext(dependencies: AdvanceDependencies, round: StoredRound): Promise<RoundStep<JobNow>> {
  const { db, board, now, silenceSeconds, listeningSince } = dependencies;
  const [jobs, policy] = await Promise.all([loadJobs(db, [round.round]), loadPolicy(db, round.policy)]);
  const jobsNow = jobs.map((job) => ({ ...job, heardAt: board.lastSign(job) ?? listeningSince }));
  return planStep({ ...round, jobs: jobsNow, threshold: policy.threshold }, now(), silenceSeconds);
}

/** @returns whether there may be another step to take at once */
async function takeStep(dependencies: AdvanceDependencies, round: StoredRound, step: RoundStep<JobNow>): Promise<boolean> {
  const { db, bus, now } = dependencies;
  switch (step.kind) {
    case "draw":
      return drawRound(dependencies, round);
    case "publish":
      await publishJobs(dependencies, round, step.jobs);
      return true;
    case "call-stand-in":
      await callStandIn(dependencies, round, step.operator);
      return true;
    case "start-reveal": {
      const { revealDeadlineSeconds } = await loadPolicy(db, round.policy);
      const revealStartedAt = now();
      const revealBy = new Date(revealStartedAt.getTime() + revealDeadlineSeconds * 1000);
      await saveRevealing(db, round.round, { revealStartedAt, revealBy });
      return true;
    }
    case "ask-reveal":
      await logAllReceived(dependencies, round.round, "commitment");
      for (const { operator, job } of step.jobs) bus.sendControl(operator, { kind: "reveal", job, round: round.round });
      return false;
    case "close":
      await saveSettling(db, round.round);
      return true;
    case "settle":
      await settleRound(dependencies, round);
      return true;
    case "wait":
    case "nothing":
      return false;
    default:
      return unreachable(step);
  }
}
