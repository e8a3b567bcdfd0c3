import { parseCheckpoint } from "@quorate/tlog/checkpoint";
import { parseNote } from "@quorate/tlog/note";
import type { ClusterStores } from "./config.ts";
import type { Stores, StoresContext } from "./open-stores.ts";
import { PostgresLockStore } from "./postgres-lock-store.ts";
import { S3Bucket } from "./s3-bucket.ts";
import { S3Staging } from "./s3-staging.ts";
import { S3TileStore } from "./s3-tile-store.ts";

/** Opens a cluster's stores once no other process has the lease. */
export async function openCluster({ databaseUrl, s3 }: ClusterStores, { events, fail, signal }: StoresContext): Promise<Stores> {
  await using stack = new AsyncDisposableStack();
  const lock = stack.use(await PostgresLockStore.open({ url: databaseUrl, onLost: fail }));
  await lock.acquireLease({ onStandBy: () => events.standsBy(), signal });
  const bucket = stack.use(new S3Bucket(s3));
  const store = new S3TileStore(bucket);
  const head = await lock.head();
  const tree = head === undefined ? undefined : parseCheckpoint(parseNote(head.note).text);
  const { staging, records } = await S3Staging.open({ bucket, lock, store }, tree);
  stack.use(staging);
  const owned = stack.move();
  // PostgreSQL itself finds what a disk has changed, when its cluster was made with data checksums.
  const lockCheck = { problem: undefined };
  return { lock, lockCheck, store, staging, records, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
