import type { WorkerBus } from "@quorate/bus/worker-bus";
import type { OperatorId } from "@quorate/protocol/operator";
import { once } from "node:events";
import type { WorkerEvents } from "./events.ts";
import type { RevealStore } from "./reveal-store.ts";

type Dependencies = {
  bus: Pick<WorkerBus, "report">;
  store: RevealStore;
  operator: OperatorId;
  events: WorkerEvents;
  signal: AbortSignal;
};

/** Publishes stored results when the coordinator asks for them. It asks again until it has them, so a failure here is only said. */
export function createRevealer(dependencies: Dependencies): {
  reveal(job: string): void;
  /** Resolves when the job's result is revealed; rejects when the signal is aborted. */
  until(job: string): Promise<void>;
  idle(): Promise<void>;
} {
  const arrivals = new EventTarget();
  const { bus, store, operator, events, signal } = dependencies;
  const underWay = new Map<string, Promise<void>>();

  const reveal = async (job: string): Promise<void> => {
    try {
      const stored = await store.find(job);
      if (!stored) return events.nothingToReveal(job);
      const { round, fence, envelope } = stored;
      await bus.report({ kind: "result", job, round, operator, fence, envelope }, signal);
      await store.markRevealed(job);
      events.revealed(job);
      arrivals.dispatchEvent(new Event("revealed"));
    } catch (error) {
      events.revealFailed(job, error);
    } finally {
      underWay.delete(job);
    }
  };

  return {
    reveal: (job) => {
      if (!underWay.has(job)) underWay.set(job, reveal(job));
    },
    async until(job) {
      for (;;) {
        const next = once(arrivals, "revealed", { signal });
        next.catch(() => undefined);
        if (await store.isRevealed(job)) return;
        await next;
      }
    },
    idle: async () => void (await Promise.all(underWay.values())),
  };
}
