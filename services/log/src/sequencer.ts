import { setTimeout as sleep } from "node:timers/promises";
import { ProblemError } from "@quorate/service/problem";
import type { LogEvents } from "./events.ts";
import type { Head, LockStore } from "./lock-store.ts";
import { NotStagedError } from "./not-staged-error.ts";
import type { PendingEntry, Pool } from "./pool.ts";
import { signCheckpoint } from "./signed-checkpoint.ts";
import type { LogSigners, SignedCheckpoint } from "./signed-checkpoint.ts";
import type { Staging } from "./staging.ts";
import type { TileStore } from "./tile-store.ts";
import type { TreeEdge } from "./tree-edge.ts";
import { createWakeable } from "./wakeable.ts";

/**
 * Entries that come while a batch is under way wait, this long after its start, for others to share the next one's flushes and files; not when
 * there are many already.
 */
const gatherMilliseconds = 20;
const manyEntries = 256;

export type SequencerDependencies = {
  readonly pool: Pool;
  readonly staging: Staging;
  readonly lock: LockStore;
  readonly store: TileStore;
  readonly signers: LogSigners;
  readonly events: LogEvents;
  readonly now: () => number;
  /** Told of each new signed checkpoint, once its tiles can be read. */
  readonly onSigned: (signed: SignedCheckpoint) => void;
  /** Called when what is stored is no longer known: nothing more is sequenced, and the process must start anew. */
  readonly fail: (error: unknown) => void;
};

/**
 * Turns pending entries into signed trees, one batch at a time. An idle log starts a batch with the first entry that comes, so that it is quick;
 * a busy one takes large batches.
 */
export class Sequencer {
  readonly #dependencies: SequencerDependencies;
  #edge: TreeEdge;
  #head: Head;
  readonly #loop = createWakeable(() => this.#drain());
  #failed = false;

  constructor(dependencies: SequencerDependencies, tree: { edge: TreeEdge; head: Head }) {
    this.#dependencies = dependencies;
    this.#edge = tree.edge;
    this.#head = tree.head;
  }

  /** The tree as it was last signed. */
  get edge(): TreeEdge {
    return this.#edge;
  }

  /** Whether the tiles may lack what was staged, so that only a new start can tell. */
  get failed(): boolean {
    return this.#failed;
  }

  /** To be called when the pool has got an entry. */
  wake(): void {
    this.#loop.wake();
  }

  /** Resolves when nothing is waiting or under way. */
  async idle(): Promise<void> {
    await this.#loop.idle();
  }

  async #drain(): Promise<void> {
    const { pool, staging, fail } = this.#dependencies;
    while (!this.#failed && pool.waiting > 0) {
      const startedAt = performance.now();
      const batch = pool.take();
      try {
        await this.#sequence(batch);
        if (staging.isLarge) (await staging.rotate()).retired.catch(fail);
      } catch (error) {
        this.#refuse(batch, error);
      }
      const pause = startedAt + gatherMilliseconds - performance.now();
      if (pool.waiting > 0 && pool.waiting < manyEntries && pause > 0) await sleep(pause);
    }
  }

  /** Stage, sign, swap, apply, acknowledge. Each step is final only with the swap; from there on it must go forward. */
  async #sequence(batch: readonly PendingEntry[]): Promise<void> {
    const { staging, lock, store, signers, events, now, onSigned } = this.#dependencies;
    const startedAt = performance.now();
    const [oldSize, edge] = [this.#edge.size, this.#edge.fork()];
    const files = edge.grow(batch);
    const tree = { size: edge.size, root: edge.root() };
    await staging.append({ kind: "batch", oldSize, entries: batch.map(({ bytes }) => bytes) }, tree);
    const signedAt = Math.max(now(), this.#head.signedAt);
    const signed = signCheckpoint(tree, signers, signedAt);
    const head = { size: edge.size, note: signed.note, signedAt };
    await lock.swap({
      from: this.#head,
      to: head,
      entries: batch.map(({ key, leafHash }, position) => ({ key, index: oldSize + position, leafHash })),
    });
    this.#edge = edge;
    this.#head = head;
    await store.write(files);
    for (const [position, entry] of batch.entries()) entry.resolve({ index: oldSize + position, treeSize: edge.size });
    events.sequenced({ entries: batch.length, size: edge.size, seconds: (performance.now() - startedAt) / 1000 });
    onSigned(signed);
  }

  #refuse(batch: readonly PendingEntry[], error: unknown): void {
    const { events, fail } = this.#dependencies;
    if (error instanceof NotStagedError) {
      events.notStaged(batch.length, error);
      const problem = new ProblemError(503, error.reason, `${error.message}; nothing was appended, try again later`, {
        headers: { "retry-after": "30" },
      });
      for (const entry of batch) entry.reject(problem);
      return;
    }
    this.#failed = true;
    const unknown = new ProblemError(
      503,
      "restarting",
      "the log must start anew to know whether the entry was appended; try again with the same key",
    );
    for (const entry of batch) entry.reject(unknown);
    fail(new Error(`sequencing a batch of ${batch.length} entries after size ${this.#head.size}`, { cause: error }));
  }
}
