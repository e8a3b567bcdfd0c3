import type { Hash } from "@quorate/tlog/hash";

/** Bounds what waits to be sequenced: a burst of a second at ten thousand entries a second, in memory that a small machine has. */
const maxPoolEntries = 16_384;
const maxPoolBytes = 64 * 1_048_576;

/** One batch is one flush of the journal and one commit: large enough that ten of them carry ten thousand entries, small enough to be quick. */
const maxBatchEntries = 1_024;
const maxBatchBytes = 4 * 1_048_576;

/** An entry that was sequenced: its index, and the size of the tree that first had it. */
export type Sequenced = { readonly index: number; readonly treeSize: number };

/** An entry on its way into the tree. */
export class PendingEntry {
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly leafHash: Hash;
  /** Resolves when the entry is durable and its index final. */
  readonly sequenced: Promise<Sequenced>;
  readonly resolve: (sequenced: Sequenced) => void;
  readonly reject: (error: unknown) => void;

  constructor(entry: { key: string; bytes: Uint8Array; leafHash: Hash }) {
    this.key = entry.key;
    this.bytes = entry.bytes;
    this.leafHash = entry.leafHash;
    const { promise, resolve, reject } = Promise.withResolvers<Sequenced>();
    // Whoever appended may be gone when the entry fails.
    promise.catch(() => undefined);
    this.sequenced = promise;
    this.resolve = resolve;
    this.reject = reject;
  }
}

/** Entries that wait for a batch, in the order of arrival. */
export class Pool {
  #waiting: PendingEntry[] = [];
  #waitingBytes = 0;

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Takes an entry in, or returns undefined when there is no room. */
  add(entry: { key: string; bytes: Uint8Array; leafHash: Hash }): PendingEntry | undefined {
    if (this.#waiting.length >= maxPoolEntries || this.#waitingBytes + entry.bytes.length > maxPoolBytes) return undefined;
    const pending = new PendingEntry(entry);
    this.#waiting.push(pending);
    this.#waitingBytes += entry.bytes.length;
    return pending;
  }

  /** The next batch. */
  take(): PendingEntry[] {
    let bytes = 0;
    let count = 0;
    for (const entry of this.#waiting) {
      if (count === maxBatchEntries || (count > 0 && bytes + entry.bytes.length > maxBatchBytes)) break;
      bytes += entry.bytes.length;
      count += 1;
    }
    this.#waitingBytes -= bytes;
    return this.#waiting.splice(0, count);
  }
}
