import type { Sha256 } from "@quorate/protocol/digest";
import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";

/** Wakes the steps of rounds up. Redis holds nothing but wake-ups: losing them delays a round until the next sweep. */
export type StepQueue = AsyncDisposable & {
  /** At once, without waiting for Redis: what cannot be queued is found by the sweep. */
  wake(round: Sha256): void;
  /** As `wake`, except for those whose earlier `wakeAgain` is still waiting. */
  wakeAgain(rounds: readonly Sha256[]): void;
  /** For whoever looks at it. */
  readonly queue: Queue;
};

export type StepQueueEvents = { queueFailed(error: Error): void };

const queueName = "round-steps";
const maxUnderWay = 1000;

export function openStepQueue(options: {
  redisUrl: string;
  advance: (round: string) => Promise<void>;
  events: StepQueueEvents;
  parallel?: number;
}): StepQueue {
  const { events } = options;
  // A wake-up that cannot be sent soon is given up; a worker waits for Redis for ever.
  const sending = connectRedis(options.redisUrl, { maxRetriesPerRequest: 1, commandTimeout: 2000 });
  const receiving = connectRedis(options.redisUrl, { maxRetriesPerRequest: null });
  for (const connection of [sending, receiving]) connection.on("error", events.queueFailed);
  const queue = new Queue<{ round: string }>(queueName, {
    connection: sending,
    defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
  });
  const worker = new Worker<{ round: string }>(queueName, (job) => options.advance(job.data.round), {
    connection: receiving,
    concurrency: options.parallel ?? 16,
    removeOnComplete: { count: 0 },
    removeOnFail: { count: 0 },
  });
  queue.on("error", events.queueFailed);
  worker.on("error", events.queueFailed);
  let underWay = 0;
  const attempt = async (add: () => Promise<unknown>): Promise<void> => {
    // Until the first connection nothing times out.
    if (underWay >= maxUnderWay) return;
    underWay++;
    try {
      await add();
    } catch (cause) {
      events.queueFailed(new Error("queueing the step of a round", { cause }));
    } finally {
      underWay--;
    }
  };
  return {
    queue,
    wake: (round) => void attempt(() => queue.add("advance", { round })),
    wakeAgain: (rounds) =>
      void attempt(() => queue.addBulk(rounds.map((round) => ({ name: "advance", data: { round }, opts: { jobId: `sweep-${round}` } })))),
    async [Symbol.asyncDispose]() {
      await worker.close();
      await queue.close();
      sending.disconnect();
      receiving.disconnect();
    },
  };
}

/** `redis://…`, `rediss://…`, or the path of a Unix socket. */
function connectRedis(url: string, options: { maxRetriesPerRequest: number | null; commandTimeout?: number }): Redis {
  const retryStrategy = (times: number) => Math.min(2000, 50 * times);
  return url.startsWith("/") ? new Redis({ path: url, ...options, retryStrategy }) : new Redis(url, { ...options, retryStrategy });
}
