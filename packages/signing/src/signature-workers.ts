import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { VerifySignatureAhead } from "@quorate/attestation/p256";
import { type SignatureCheck, formatSignatureBatch } from "./signature-batch.ts";

/** A message between threads costs about as much as a signature. */
const batchSize = 64;
/** Batches that wait for a thread, the one that it works on included. Whoever comes with more verifies it, and is no idler than the thread. */
const batchesPerThread = 4;
const maxThreads = 16;

type Pending = SignatureCheck & { readonly resolve: (isValid: boolean) => void };
type Thread = { readonly worker: Worker; readonly batches: Pending[][]; failed: boolean };

/**
 * Other threads that verify P-256 signatures, one for each processor but this thread's. An answer of `true` is proof; `false` also says that a
 * thread has failed, so that the caller verifies again.
 */
export class SignatureWorkers implements AsyncDisposable {
  readonly #threads: Thread[];
  #next: Pending[] = [];
  #flushing: NodeJS.Immediate | undefined;

  constructor(threads = Math.min(maxThreads, Math.max(1, availableParallelism() - 1))) {
    this.#threads = Array.from({ length: threads }, () => this.#start());
  }

  /** Takes a signature unless all threads have enough to do. */
  readonly verifyAhead: VerifySignatureAhead = (spki, message, signature) => {
    if (this.#next.length === 0 && this.#idlest() === undefined) return undefined;
    return new Promise((resolve) => {
      this.#next.push({ spki, message, signature, resolve });
      if (this.#next.length >= batchSize) this.#flush();
      else this.#flushing ??= setImmediate(() => this.#flush());
    });
  };

  #flush(): void {
    clearImmediate(this.#flushing);
    this.#flushing = undefined;
    const batch = this.#next;
    this.#next = [];
    const thread = this.#idlest();
    if (thread === undefined) return answer(batch);
    thread.batches.push(batch);
    const message = formatSignatureBatch(batch);
    thread.worker.postMessage(message, [message.buffer]);
  }

  #idlest(): Thread | undefined {
    const able = this.#threads.filter(({ failed, batches }) => !failed && batches.length < batchesPerThread);
    return able.reduce<Thread | undefined>((best, one) => (best && best.batches.length <= one.batches.length ? best : one), undefined);
  }

  #start(): Thread {
    const worker = new Worker(new URL("./signature-worker.ts", import.meta.url));
    const thread: Thread = { worker, batches: [], failed: false };
    worker.on("message", (answers: Uint8Array) => answer(thread.batches.shift() ?? [], answers));
    worker.on("error", () => fail(thread));
    worker.on("exit", () => fail(thread));
    return thread;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#flush();
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }
}

function answer(batch: readonly Pending[], answers?: Uint8Array): void {
  for (const [at, { resolve }] of batch.entries()) resolve(answers?.[at] === 1);
}

function fail(thread: Thread): void {
  thread.failed = true;
  for (const batch of thread.batches.splice(0)) answer(batch);
}
