import { ProblemError } from "@quorate/service/problem";
import { readTile } from "@quorate/service/stored-tile";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { equalHashes } from "@quorate/tlog/hash";
import type { Hash } from "@quorate/tlog/hash";
import { parseTile, tileAt, tileWidth } from "@quorate/tlog/tile";
import type { LogEvents } from "./events.ts";
import type { KeyedEntry, LockStore } from "./lock-store.ts";
import type { Pool, Sequenced } from "./pool.ts";
import type { Publisher } from "./publisher.ts";
import type { Sequencer } from "./sequencer.ts";
import type { SignedCheckpoint } from "./signed-checkpoint.ts";
import type { TileStore } from "./tile-store.ts";

/** What may wait for witnesses before new entries are refused: minutes of a busy log. */
const maxUnpublishedEntries = 200_000;

/** How long a caller is kept waiting for the witnesses; retrying with the same key goes on waiting. */
const publishMilliseconds = 10_000;

/** How long an append waits for a log that has just started and is asking its witnesses. */
const startMilliseconds = 2_000;

export type AppendDependencies = {
  /** The appends under way by their key: each key once, from before it is looked up until it is in the lock store or refused. */
  readonly underWay: Map<string, Promise<Appended>>;
  readonly pool: Pool;
  readonly lock: LockStore;
  readonly lockCheck: { readonly problem: string | undefined };
  readonly sequencer: Sequencer;
  readonly publisher: Publisher;
  readonly store: TileStore;
  readonly events: LogEvents;
};

export type Appended = Sequenced & { readonly leafHash: Hash; readonly duplicate: boolean };

/**
 * Appends an entry under its logical key; an entry that has the key already is answered with its index, whatever its bytes.
 * @throws ProblemError 503 when there is no room, no proof yet that the witnesses agree with this log, or damage to what it knows of keys
 */
export async function appendEntry(key: string, bytes: Uint8Array, dependencies: AppendDependencies): Promise<Appended> {
  const { underWay, lockCheck, publisher, events } = dependencies;
  if (lockCheck.problem !== undefined) {
    events.refused("damaged");
    throw unavailable("damaged", "the log's lock store is damaged, so that it takes no entries; the log's operator is told how and where");
  }
  if (!publisher.confirmed) {
    const problem = unavailable("starting", "the log has not reached the quorum of its witnesses since it started; try again");
    await within(startMilliseconds, publisher.publishedAtLeast(0), problem);
  }
  const first = underWay.get(key);
  if (first !== undefined) {
    const appended = await first;
    events.duplicate(key, appended.index);
    return { ...appended, duplicate: true };
  }
  const appended = appendFirst(key, bytes, dependencies).finally(() => underWay.delete(key));
  underWay.set(key, appended);
  return appended;
}

async function appendFirst(key: string, bytes: Uint8Array, dependencies: AppendDependencies): Promise<Appended> {
  const { pool, lock, sequencer, publisher, events } = dependencies;
  const earlier = await lock.find(key);
  if (earlier !== undefined) {
    await verifyEarlier(earlier, dependencies);
    events.duplicate(key, earlier.index);
    return { index: earlier.index, treeSize: earlier.index + 1, leafHash: earlier.leafHash, duplicate: true };
  }
  const unpublished = sequencer.edge.size - (publisher.published?.checkpoint.size ?? 0);
  if (unpublished > maxUnpublishedEntries) {
    events.refused("below-quorum");
    throw unavailable("below-quorum", `${unpublished} entries wait for the witnesses; try again when they answer`);
  }
  const pending = pool.add({ key, bytes, leafHash: nodeHasher.leaf(bytes) });
  if (pending === undefined) {
    events.refused("pool-full");
    throw unavailable("pool-full", "too many entries wait to be appended; try again");
  }
  sequencer.wake();
  return { ...(await pending.sequenced), leafHash: pending.leafHash, duplicate: false };
}

/**
 * Waits until a checkpoint that has the entry is published.
 * @throws ProblemError 503, with the entry's index, when the witnesses take too long
 */
export async function waitUntilPublished({ index, treeSize }: Sequenced, publisher: Publisher): Promise<SignedCheckpoint> {
  const detail = `the entry has index ${index}, but too few witnesses have cosigned it yet; try again with the same key`;
  return within(publishMilliseconds, publisher.publishedAtLeast(treeSize), unavailable("not-published", detail, { index }));
}

/** What `promise` resolves to; `problem` when it does not, or not in time. */
async function within<Value>(milliseconds: number, promise: Promise<Value>, problem: ProblemError): Promise<Value> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(problem), milliseconds);
  try {
    return await Promise.race([promise, late.promise]);
  } catch {
    // The promise rejects when the log stops, which is the same to the caller.
    throw problem;
  } finally {
    clearTimeout(timer);
  }
}

/** The lock store and the tree must tell the same of an entry. */
async function verifyEarlier({ key, index, leafHash }: KeyedEntry, { sequencer, store }: AppendDependencies): Promise<void> {
  const hash = sequencer.edge.leafHash(index) ?? (await leafHashFromTile(index, sequencer.edge.size, store));
  if (hash === undefined || !equalHashes(hash, leafHash)) {
    throw new Error(`looking up ${key}: the lock store has it at index ${index}, the tree has another entry there`);
  }
}

async function leafHashFromTile(index: number, size: number, store: TileStore): Promise<Hash | undefined> {
  const tile = tileAt(0, Math.floor(index / tileWidth), size);
  const bytes = tile === undefined ? undefined : await readTile(store, tile);
  return tile === undefined || bytes === undefined ? undefined : parseTile(tile, bytes)[index % tileWidth];
}

function unavailable(kind: string, detail: string, extensions: Record<string, unknown> = {}): ProblemError {
  return new ProblemError(503, kind, detail, { headers: { "retry-after": "1" }, extensions });
}
