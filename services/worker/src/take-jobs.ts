import type { WorkerBus } from "@quorate/bus/worker-bus";
import type { WorkerEvents } from "./events.ts";
import { type JobDependencies, type JobSignals, runJob } from "./run-job.ts";

const maxRememberedCancellations = 1000;
/** What a job that is nearly done has to be done in when the worker stops; less than a supervisor waits before it kills. */
const finishMilliseconds = 6_000;

/** Takes one job after the other until drained. */
export function takeJobs(dependencies: JobDependencies & { bus: WorkerBus; events: WorkerEvents }): {
  /** Ends this job if it is being done, and any later delivery of it. */
  cancel(job: string): void;
  /** Takes no more jobs, finishes or gives back the one in hand, and resolves. */
  drain(): Promise<void>;
} {
  const { bus, events } = dependencies;
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

  const loop = (async () => {
    for (;;) {
      const leased = await bus.nextJob(stopping.signal);
      if (!leased) return;
      current = leased.message.job;
      const signals: JobSignals = { stopping: stopping.signal, ending: ending.signal, cancelled: cancellationOf(current).signal };
      await runJob(leased, dependencies, signals);
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
      stopping.abort(new Error("the worker is stopping"));
      const timer = setTimeout(() => ending.abort(new Error("the worker is stopping")), finishMilliseconds);
      await loop;
      clearTimeout(timer);
    },
  };
}
