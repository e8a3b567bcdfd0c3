import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { parseSha256 } from "@quorate/protocol/digest";
import { type HashAnswer, hashFile } from "./hash-file.ts";
import type { FileDigest } from "./host-tree.ts";
import type { HashBatch } from "./hash-thread.ts";

/** A message between threads costs about as much as one small file. */
const batchSize = 64;
/** Starting threads takes as long as hashing a few hundred small files. */
const fewFiles = 300;
const maxThreads = 16;

/** So many batches wait at each thread, so that it need not wait for this one, which does other things meanwhile. */
const waitingBatches = 6;

export type Hashing = { readonly onFile?: () => void; readonly signal: AbortSignal };

type Batch = {
  readonly places: readonly (string | Buffer)[];
  readonly signal: AbortSignal;
  readonly done: (answers: readonly HashAnswer[]) => void;
  readonly fail: (error: unknown) => void;
};

type HashThread = { readonly worker: Worker; readonly waiting: Batch[] };

/** Hashes files: many of them in as many threads as there are processors, started when they are first needed. */
export class FileHasher implements AsyncDisposable {
  readonly #count: number;
  readonly #threads: HashThread[] = [];
  readonly #queue: Batch[] = [];

  constructor(threads = Math.min(maxThreads, availableParallelism())) {
    this.#count = threads;
  }

  /** Digests in the order of the places. Several calls may be under way; they are answered in turn. */
  async hash(places: readonly (string | Buffer)[], { onFile = () => {}, signal }: Hashing): Promise<FileDigest[]> {
    signal.throwIfAborted();
    if (places.length <= fewFiles && this.#threads.length === 0) {
      return places.map((place) => {
        signal.throwIfAborted();
        const digest = digestOf(hashFile(place));
        onFile();
        return digest;
      });
    }
    const digests: FileDigest[] = Array.from({ length: places.length });
    const batches = Array.from({ length: Math.ceil(places.length / batchSize) }, async (_, number) => {
      const start = number * batchSize;
      const batch = places.slice(start, start + batchSize);
      const { promise, resolve: done, reject: fail } = Promise.withResolvers<readonly HashAnswer[]>();
      this.#queue.push({ places: batch, signal, done, fail });
      const answers = await promise;
      for (const at of batch.keys()) {
        digests[start + at] = digestOf(answers[at]);
        onFile();
      }
    });
    this.#send();
    await Promise.all(batches);
    return digests;
  }

  /** Gives the threads what waits, each as much as it may have. */
  #send(): void {
    while (this.#threads.length < this.#count) this.#threads.push(this.#start());
    for (;;) {
      const idlest = this.#threads.reduce((one, other) => (other.waiting.length < one.waiting.length ? other : one));
      const batch = idlest.waiting.length < waitingBatches ? this.#queue.shift() : undefined;
      if (batch === undefined) return;
      if (batch.signal.aborted) batch.fail(batch.signal.reason);
      else {
        idlest.waiting.push(batch);
        idlest.worker.postMessage({ places: batch.places } satisfies HashBatch, []);
      }
    }
  }

  #start(): HashThread {
    const worker = new Worker(new URL("./hash-thread.ts", import.meta.url));
    const waiting: Batch[] = [];
    // It answers in the order in which it was asked.
    worker.on("message", (answers: readonly HashAnswer[]) => {
      waiting.shift()?.done(answers);
      this.#send();
    });
    const started: HashThread = { worker, waiting };
    // Another one takes its place at the next call.
    const fail = (cause: unknown) => {
      const at = this.#threads.indexOf(started);
      if (at >= 0) this.#threads.splice(at, 1);
      for (const batch of waiting.splice(0)) batch.fail(new Error("hashing files: a thread has failed", { cause }));
    };
    worker.on("error", fail).on("exit", fail);
    return started;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }
}

export function digestOf(answer: HashAnswer = { reason: "no answer" }): FileDigest {
  if ("sha256" in answer) return { kind: "hashed", sha256: parseSha256(answer.sha256) };
  return "changed" in answer ? { kind: "changed" } : { kind: "unreadable", reason: answer.reason };
}
