import { setTimeout as sleep } from "node:timers/promises";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { equalHashes } from "@quorate/tlog/hash";
import type { NoteKey } from "@quorate/tlog/note";
import { consistencyProofFromTiles } from "@quorate/tlog/tile-proof";
import type { WitnessPolicy } from "@quorate/tlog/tlog-policy";
import { collectCosignatures } from "./collect-cosignatures.ts";
import type { LogEvents } from "./events.ts";
import { rootAt, tileReader } from "./recover.ts";
import type { SignedCheckpoint } from "./signed-checkpoint.ts";
import type { Staging } from "./staging.ts";
import type { TileStore } from "./tile-store.ts";
import { createWakeable } from "./wakeable.ts";
import type { WitnessClient, WitnessError } from "./witness-client.ts";

/** After a round without quorum the next one waits, twice as long each time. */
const firstRetryMilliseconds = 250;
const longestRetryMilliseconds = 5_000;

/** An idle log has its newest checkpoint cosigned anew: the times in cosignatures tell readers that nothing newer is held back. */
const refreshMilliseconds = 600_000;

export type PublisherDependencies = {
  readonly staging: Staging;
  readonly store: TileStore;
  readonly logKey: NoteKey;
  readonly policy: WitnessPolicy;
  readonly witnesses: readonly WitnessClient[];
  /** How long a witness may take to answer. */
  readonly witnessMilliseconds: number;
  /** Least time between the starts of two rounds while checkpoints keep coming. */
  readonly paceMilliseconds: number;
  readonly events: LogEvents;
  readonly fail: (error: unknown) => void;
};

/**
 * Releases signed checkpoints once the policy's quorum of witnesses has cosigned them, always the newest; below quorum it keeps what was
 * published before. Nothing counts as confirmed until the witnesses have agreed once since the start: only they remember what this log has
 * published, should its own disk have been set back.
 */
export class Publisher implements AsyncDisposable {
  readonly #dependencies: PublisherDependencies;
  readonly #stop = new AbortController();
  readonly #waiting = new Map<number, PromiseWithResolvers<SignedCheckpoint>>();
  #newest: SignedCheckpoint;
  #published: SignedCheckpoint | undefined;
  #confirmed = false;
  #stale = false;
  readonly #loop = createWakeable(() => this.#publishAll());

  constructor(dependencies: PublisherDependencies, known: { newest: SignedCheckpoint; published: SignedCheckpoint | undefined }) {
    this.#dependencies = dependencies;
    this.#newest = known.newest;
    this.#published = known.published;
    const refresh = setInterval(() => {
      this.#stale = true;
      this.start();
    }, refreshMilliseconds).unref();
    this.#stop.signal.addEventListener("abort", () => clearInterval(refresh));
  }

  get published(): SignedCheckpoint | undefined {
    return this.#published;
  }

  /** Whether the witnesses have agreed to a checkpoint of this log since the start. */
  get confirmed(): boolean {
    return this.#confirmed;
  }

  /** Publishes the newest checkpoint, if it is not yet. */
  start(): void {
    if (!this.#stop.signal.aborted) this.#loop.wake();
  }

  offer(signed: SignedCheckpoint): void {
    this.#newest = signed;
    this.start();
  }

  /** A published checkpoint of at least this size, when there is one; rejects when the log stops before. */
  async publishedAtLeast(treeSize: number): Promise<SignedCheckpoint> {
    if (this.#confirmed && this.#published !== undefined && this.#published.checkpoint.size >= treeSize) return this.#published;
    const waiting = this.#waiting.get(treeSize) ?? Promise.withResolvers<SignedCheckpoint>();
    waiting.promise.catch(() => undefined);
    this.#waiting.set(treeSize, waiting);
    return waiting.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("the log is stopping"));
    await this.#loop.idle();
    for (const waiting of this.#waiting.values()) waiting.reject(new Error("the log stopped before the checkpoint was published"));
  }

  async #publishAll(): Promise<void> {
    const { paceMilliseconds, events } = this.#dependencies;
    let retryMilliseconds = firstRetryMilliseconds;
    try {
      while (!this.#confirmed || this.#stale || this.#newest.checkpoint.size !== this.#published?.checkpoint.size) {
        const startedAt = performance.now();
        const target = this.#newest;
        const done = await this.#publish(target);
        const seconds = (performance.now() - startedAt) / 1000;
        if (done) events.published({ size: target.checkpoint.size, seconds });
        const pause = done ? (this.#newest === target ? 0 : startedAt + paceMilliseconds - performance.now()) : retryMilliseconds;
        retryMilliseconds = done ? firstRetryMilliseconds : Math.min(retryMilliseconds * 2, longestRetryMilliseconds);
        if (pause > 0) await sleep(pause, undefined, { signal: this.#stop.signal });
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort(error);
    this.#dependencies.fail(new Error(`publishing the checkpoint of size ${this.#newest.checkpoint.size}`, { cause: error }));
  }

  async #publish(target: SignedCheckpoint): Promise<boolean> {
    const { staging, store, policy, witnesses, witnessMilliseconds, events } = this.#dependencies;
    const collected = await collectCosignatures({
      signed: target,
      prove: this.#prover(target),
      witnesses,
      policy,
      deadlineMilliseconds: witnessMilliseconds,
      signal: this.#stop.signal,
    });
    this.#stop.signal.throwIfAborted();
    for (const { witness, message } of collected.failures) events.witnessFailed(witness, message);
    const checked = Promise.all(collected.failures.filter(({ disagrees }) => disagrees).map((failure) => this.#refuseFork(failure)));
    // With the quorum there, a witness that disagrees must not be able to hold things up while it is asked for evidence.
    if (collected.satisfied) checked.catch((error: unknown) => this.#fail(error));
    else await checked;
    if (!collected.satisfied) {
      events.belowQuorum({ size: target.checkpoint.size, quorum: policy.quorum, cosigned: collected.cosigned });
      return false;
    }
    const { signed } = collected;
    await staging.append({ kind: "published", note: signed.note }, signed.checkpoint);
    await store.write([{ path: "checkpoint", bytes: Buffer.from(signed.note, "utf8") }]);
    this.#published = signed;
    this.#confirmed = true;
    this.#stale = false;
    for (const [size, waiting] of this.#waiting) {
      if (size > signed.checkpoint.size) continue;
      this.#waiting.delete(size);
      waiting.resolve(signed);
    }
    return true;
  }

  /** Witnesses are mostly at the same size, so the proof is made once. */
  #prover({ checkpoint }: SignedCheckpoint) {
    const tree = { size: checkpoint.size, hasher: nodeHasher, readTile: tileReader(this.#dependencies.store) };
    const proofs = new Map<number, ReturnType<typeof consistencyProofFromTiles>>();
    return (oldSize: number) => {
      const proof = proofs.get(oldSize) ?? consistencyProofFromTiles(oldSize, tree);
      proofs.set(oldSize, proof);
      return proof;
    };
  }

  /**
   * A witness that disagrees may be wrong, or lie; but when it shows a checkpoint with this log's own signature that the tree does not have, this
   * log would fork by going on.
   */
  async #refuseFork({ witness }: WitnessError): Promise<void> {
    const { witnesses, witnessMilliseconds, logKey, store, events } = this.#dependencies;
    const client = witnesses.find(({ name }) => name === witness);
    const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(witnessMilliseconds)]);
    const seen = await client?.seen(logKey, signal).catch((error: unknown) => void events.witnessFailed(witness, String(error)));
    if (seen === undefined) return;
    const { size, root } = seen.checkpoint;
    const newest = this.#newest.checkpoint;
    if (size > newest.size) {
      throw new Error(
        `witness ${witness} holds a checkpoint of size ${size} signed by this log, whose newest is ${newest.size}: its data come from a backup`,
      );
    }
    const own = size === newest.size ? newest.root : await rootAt(store, size);
    if (!equalHashes(own, root))
      throw new Error(`witness ${witness} holds a checkpoint of size ${size} signed by this log with another root: it has forked`);
  }
}
