import type { JobPhase, LiveMessage } from "@quorate/protocol/job";

export type LiveJob = { phase: JobPhase; activity?: string | undefined; heardAt: Date };

/** What workers last said of their jobs. Not kept: after a restart it fills again with the next message of each. */
export type LiveBoard = {
  note(message: LiveMessage, now: Date): void;
  get(job: string): LiveJob | undefined;
};

/** Holds the `capacity` jobs heard of last. */
export function createLiveBoard(capacity = 10_000): LiveBoard {
  const jobs = new Map<string, LiveJob>();
  return {
    note({ job, phase, activity }, now) {
      jobs.delete(job);
      jobs.set(job, { phase, activity, heardAt: now });
      const oldest = jobs.keys().next();
      if (jobs.size > capacity && !oldest.done) jobs.delete(oldest.value);
    },
    get: (job) => jobs.get(job),
  };
}
