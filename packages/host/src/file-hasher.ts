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

export type Hashing = { readonly onFile?: () => void; readonly signal: AbortSignal };

/** Hashes files: many of them in as many threads as there are processors, started when they are first needed. */
export class FileHasher implements AsyncDisposable {
  readonly #count: number;
  readonly #threads: Worker[] = [];

  constructor(threads = Math.min(maxThreads, availableParallelism())) {
    this.#count = threads;
  }

  /** Digests in the order of the places. */
  async hash(places: readonly (string | Buffer)[], { onFile = () => {}, signal }: Hashing): Promise<FileDigest[]> {
    const digests: FileDigest[] = Array.from({ length: places.length });
    const take = (at: number, answer: HashAnswer | undefined) => {
      digests[at] = digestOf(answer);
      onFile();
    };
    if (places.length <= fewFiles) {
      for (const [at, place] of places.entries()) {
        signal.throwIfAborted();
        take(at, hashFile(place));
      }
      return digests;
    }
    let next = 0;
    const drive = async (thread: Worker): Promise<void> => {
      while (next < places.length) {
        signal.throwIfAborted();
        const start = next;
        const batch = places.slice(start, (next += batchSize));
        const answers = await ask(thread, { places: batch });
        for (const at of batch.keys()) take(start + at, answers[at]);
      }
    };
    await Promise.all(this.#started().map(drive));
    return digests;
  }

  #started(): readonly Worker[] {
    while (this.#threads.length < this.#count) this.#threads.push(new Worker(new URL("./hash-thread.ts", import.meta.url)));
    return this.#threads;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
  }
}

function ask(thread: Worker, batch: HashBatch): Promise<readonly HashAnswer[]> {
  const { promise, resolve, reject } = Promise.withResolvers<readonly HashAnswer[]>();
  const fail = (cause: unknown) => reject(new Error("hashing files: a thread has failed", { cause }));
  thread.once("message", resolve).once("error", fail).once("exit", fail);
  thread.postMessage(batch, []);
  return promise.finally(() => thread.off("error", fail).off("exit", fail));
}

export function digestOf(answer: HashAnswer = { reason: "no answer" }): FileDigest {
  if ("sha256" in answer) return { kind: "hashed", sha256: parseSha256(answer.sha256) };
  return "changed" in answer ? { kind: "changed" } : { kind: "unreadable", reason: answer.reason };
}
