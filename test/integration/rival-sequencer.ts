import type { ClusterStores, LogConfig } from "@quorate/log/config";
import { createLogEvents } from "@quorate/log/events";
import { openLog } from "@quorate/log/open-log";
import { Pool } from "@quorate/log/pool";
import { PostgresLockStore } from "@quorate/log/postgres-lock-store";
import { S3Bucket } from "@quorate/log/s3-bucket";
import { S3Staging } from "@quorate/log/s3-staging";
import { S3TileStore } from "@quorate/log/s3-tile-store";
import { Sequencer } from "@quorate/log/sequencer";
import { utf8 } from "@quorate/protocol/utf8";
import { silentLogger } from "@quorate/service/logger";
import { Metrics } from "@quorate/service/metrics";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { parseCheckpoint } from "@quorate/tlog/checkpoint";
import { parseNote } from "@quorate/tlog/note";

export type RivalSequencer = AsyncDisposable & {
  readonly failures: readonly unknown[];
  /** Resolves to the entry's index when this sequencer acknowledges it. */
  append(key: string, text: string): Promise<number>;
};

/** A sequencer on a log that another process has the lease of: it never asks for that. */
export async function startRival(config: LogConfig, stores: ClusterStores): Promise<RivalSequencer> {
  await using stack = new AsyncDisposableStack();
  const failures: unknown[] = [];
  const fail = (error: unknown) => void failures.push(error);
  const events = createLogEvents(silentLogger, new Metrics());
  const lock = stack.use(await PostgresLockStore.open({ url: stores.databaseUrl, onLost: fail }));
  const bucket = stack.use(new S3Bucket(stores.s3));
  const store = new S3TileStore(bucket);
  const head = await lock.head();
  const tree = head === undefined ? undefined : parseCheckpoint(parseNote(head.note).text);
  const { staging, records } = await S3Staging.open({ bucket, lock, store }, tree);
  stack.use(staging);
  const opened = await openLog({ lock, store, records }, { ...config, now: Date.now, events });
  const pool = new Pool();
  const sequencer = new Sequencer(
    { pool, staging, lock, store, signers: config, events, now: Date.now, onSigned: () => undefined, fail },
    opened,
  );
  stack.defer(() => sequencer.idle());
  const owned = stack.move();
  return {
    failures,
    async append(key, text) {
      const bytes = utf8(text);
      const pending = pool.add({ key, bytes, leafHash: nodeHasher.leaf(bytes) });
      if (pending === undefined) throw new Error("the rival's pool is full");
      sequencer.wake();
      return (await pending.sequenced).index;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
