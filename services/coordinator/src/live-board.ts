import type { JobPhase, LiveMessage } from "@quorate/protocol/job";
import type { OperatorId } from "@quorate/protocol/operator";

export type LiveJob = { phase: JobPhase; activity?: string | undefined; heardAt: Date };

/** What workers last said of their jobs. Not kept: after a restart it fills again with the next message of each. */
export type LiveBoard = {
  note(message: LiveMessage, now: Date): void;
  get(job: string): LiveJob | undefined;
  /**
   * When a job's worker was last heard of. A job that has not started may wait behind another that the operator's workers are busy with: it is
   * heard of as they are.
   */
  lastSign(job: { job: string; operator: OperatorId; startedAt?: Date | undefined }): Date | undefined;
};

/** Holds the `capacity` jobs heard of last. */
export function createLiveBoard(capacity = 10_000): LiveBoard {
  const jobs = new Map<string, LiveJob>();
  const operators = new Map<OperatorId, Date>();
  return {
    note({ job, operator, phase, activity }, now) {
      operators.set(operator, now);
      jobs.delete(job);
      jobs.set(job, { phase, activity, heardAt: now });
      const oldest = jobs.keys().next();
      if (jobs.size > capacity && !oldest.done) jobs.delete(oldest.value);
    },
    get: (job) => jobs.get(job),
    lastSign: ({ job, operator, startedAt }) => (startedAt ? jobs.get(job)?.heardAt : operators.get(operator)),
  };
}
