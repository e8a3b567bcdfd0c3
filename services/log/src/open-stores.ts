import { join } from "node:path";
import { openDataDirectory } from "@quorate/service/data-directory";
import type { LogConfig } from "./config.ts";
import type { LogEvents } from "./events.ts";
import type { JournalRecord } from "./journal.ts";
import { SqliteLockStore } from "./lock-store.ts";
import type { LockStore } from "./lock-store.ts";
import { LockStoreCheck } from "./lock-store-check.ts";
import { JournalStaging } from "./staging.ts";
import type { Staging } from "./staging.ts";
import { DirectoryTileStore } from "./tile-store.ts";
import type { TileStore } from "./tile-store.ts";

export type Stores = AsyncDisposable & {
  readonly lock: LockStore;
  /** What is wrong with the lock store, if something was found. */
  readonly lockCheck: { readonly problem: string | undefined };
  readonly store: TileStore;
  readonly staging: Staging;
  /** What was staged when the last process ended. */
  readonly records: readonly JournalRecord[];
};

export type StoresContext = {
  readonly events: LogEvents;
  readonly fail: (error: unknown) => void;
  readonly signal?: AbortSignal | undefined;
};

/** Opens what the log is kept in, for this process alone: a data directory that others have is refused, a cluster's is waited for. */
export async function openStores({ stores }: Pick<LogConfig, "stores">, context: StoresContext): Promise<Stores> {
  if (stores.kind === "directory") return openDirectory(stores.path, context);
  // The SDK takes half a second to load, which a log in a directory need not wait for.
  const { openCluster } = await import("./open-cluster.ts");
  return openCluster(stores, context);
}

async function openDirectory(path: string, { events }: StoresContext): Promise<Stores> {
  await using stack = new AsyncDisposableStack();
  const directory = stack.use(await openDataDirectory({ path, service: "log", format: 1 }));
  const lockPath = join(directory.path, "lock-store.sqlite");
  const lock = stack.use(new SqliteLockStore(lockPath));
  const lockCheck = stack.use(new LockStoreCheck(lockPath, events));
  const store = new DirectoryTileStore(join(directory.path, "public"));
  const { staging, records } = await JournalStaging.open(join(directory.path, "journal"), store);
  stack.use(staging);
  const owned = stack.move();
  return { lock, lockCheck, store, staging, records, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
