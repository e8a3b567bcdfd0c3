import type { LeasedJob, WorkerBus } from "@quorate/bus/worker-bus";
import type { WorkerEvents } from "./events.ts";
import type { PauseFile } from "./pause-file.ts";
import { type JobDependencies, type JobSignals, runJob } from "./run-job.ts";
import type { StatusFile } from "./status-file.ts";

const maxRememberedCancellations = 1000;
/** What a job that is nearly done has to be done in when the worker stops; less than a supervisor waits before it kills. */
const finishMilliseconds = 6_000;

type Dependencies = JobDependencies & { bus: WorkerBus; events: WorkerEvents; pauseFile: PauseFile; status: StatusFile; once: boolean };

/** Takes one job after the other until drained, or one alone; none while paused. */
export function takeJobs(dependencies: Dependencies): {
  /** Ends this job if it is being done, and any later delivery of it. */
  cancel(job: string): void;
  /** Takes no more jobs, finishes or gives back the one in hand, and resolves. */
  drain(): Promise<void>;
  /** The last job, if it was committed to; resolves when no more jobs are taken. */
  finished: Promise<string | undefined>;
} {
  const { bus, events, pauseFile, status, once } = dependencies;
  const stopping = new AbortController();
  const ending = new AbortController();
  const cancellations = new Map<string, AbortController>();
  let current: string | undefined;

  const cancellationOf = (job: string): AbortController => {
    const known = cancellations.get(job) ?? new AbortController();
    cancellations.delete(job);
    cancellations.set(job, known);
    const [oldest] = cancellations.keys();
    if (cancellations.size > maxRememberedCancellations && oldest !== undefined) cancellations.delete(oldest);
    return known;
  };

  const nextJob = async (): Promise<LeasedJob | undefined> => {
    for (;;) {
      const isPaused = pauseFile.isPaused();
      status.show({ state: isPaused ? "paused" : "idle", job: undefined, activity: undefined });
      await pauseFile.untilResumed(stopping.signal).catch(() => undefined);
      if (isPaused) status.show({ state: "idle" });
      const leased = await bus.nextJob(AbortSignal.any([stopping.signal, pauseFile.untilPaused()]));
      if (leased || stopping.signal.aborted) return leased;
    }
  };

  const finished = (async () => {
    for (;;) {
      const leased = await nextJob();
      if (!leased) return undefined;
      current = leased.message.job;
      status.show({ state: "working", job: current });
      const signals: JobSignals = { stopping: stopping.signal, ending: ending.signal, cancelled: cancellationOf(current).signal };
      const isCommitted = await runJob(leased, dependencies, signals);
      if (isCommitted) status.committed();
      if (once) return isCommitted ? current : undefined;
      current = undefined;
    }
  })();

  return {
    cancel: (job) => {
      const cancellation = cancellationOf(job);
      if (!cancellation.signal.aborted) events.cancelled(job);
      cancellation.abort(new Error("cancelled by the coordinator"));
    },
    drain: async () => {
      events.draining(current !== undefined);
      status.show({ state: "stopping" });
      stopping.abort(new Error("the worker is stopping"));
      const timer = setTimeout(() => ending.abort(new Error("the worker is stopping")), finishMilliseconds);
      await finished;
      clearTimeout(timer);
    },
    finished,
  };
}
