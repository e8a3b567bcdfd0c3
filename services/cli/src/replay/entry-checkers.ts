import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { OperatorId } from "@quorate/protocol/operator";
import { formatEntryBundle } from "@quorate/tlog/entry-bundle";
import type { CheckedBundle } from "./checked-bundle.ts";
import type { Asked, EntryCheckerData } from "./entry-checker.ts";

const maxThreads = 16;
/** So many that a thread does not wait for the next one; they are held in memory. */
const bundlesPerThread = 3;

type Waiting = { readonly resolve: (checked: CheckedBundle) => void; readonly reject: (reason: unknown) => void };
type Thread = { readonly worker: Worker; readonly waiting: Waiting[]; failure?: Error };

/** Other threads that check entries before their turn: as many as there are processors, since the one that asks has much less to do. */
export class EntryCheckers implements AsyncDisposable {
  readonly #threads: Thread[];

  constructor(workerData: EntryCheckerData, threads = Math.min(maxThreads, availableParallelism())) {
    this.#threads = Array.from({ length: threads }, () => startThread(workerData));
  }

  /** How many bundles may be in hand at once. */
  get capacity(): number {
    return this.#threads.length * bundlesPerThread;
  }

  /** Bundles that follow are checked with these keys. */
  useKeys(identityKeys: ReadonlyMap<OperatorId, Uint8Array>): void {
    const asked: Asked = { identityKeys };
    for (const { worker } of this.#threads) worker.postMessage(asked, []);
  }

  /** Checks the entries of one bundle; the answer is parsed when its turn comes: until then it is one text. @throws Error when a thread has failed */
  check(entries: readonly Uint8Array[]): Promise<CheckedBundle> {
    const { worker, waiting, failure } = this.#threads.reduce((best, one) => (one.waiting.length < best.waiting.length ? one : best));
    if (failure !== undefined) return Promise.reject(failure);
    const asked = { bundle: formatEntryBundle(entries) };
    const checked = new Promise<CheckedBundle>((resolve, reject) => waiting.push({ resolve, reject }));
    worker.postMessage(asked, [asked.bundle.buffer]);
    return checked;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }
}

function startThread(workerData: EntryCheckerData): Thread {
  const worker = new Worker(new URL("./entry-checker.ts", import.meta.url), { workerData });
  const thread: Thread = { worker, waiting: [] };
  const { waiting } = thread;
  const fail = (reason: Error): void => {
    thread.failure ??= reason;
    for (const { reject } of waiting.splice(0)) reject(reason);
  };
  worker.on("message", (checked: CheckedBundle) => waiting.shift()?.resolve(checked));
  worker.on("error", (cause) => fail(new Error("checking entries on another thread", { cause })));
  worker.on("exit", () => fail(new Error("checking entries on another thread: it has ended")));
  return thread;
}
