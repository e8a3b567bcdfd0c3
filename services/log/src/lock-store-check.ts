import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { DatabaseSync } from "node:sqlite";
import type { LogEvents } from "./events.ts";
import { checksumOf } from "./lock-store.ts";

/** Disks go bad slowly. */
const intervalMilliseconds = 86_400_000;

/** Rows that are looked at before others have their turn: a millisecond's worth. */
const rowsAtOnce = 500;

/**
 * Reads a lock store again and again, from the start on, for what a disk has made of it. SQLite has no checksums, and a key that has changed is
 * one that is not found: its entry would be appended twice.
 */
export class LockStoreCheck implements AsyncDisposable {
  #problem: string | undefined;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  constructor(path: string, events: LogEvents) {
    this.#running = this.#run(path, events).catch(() => undefined);
  }

  /** What is wrong with the lock store, if something was found. */
  get problem(): string | undefined {
    return this.#problem;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(path: string, events: LogEvents): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const problem = await findLockStoreDamage(path, signal);
      if (problem !== undefined) events.lockStoreDamaged((this.#problem = problem));
      else events.lockStoreChecked();
      await sleep(intervalMilliseconds, undefined, { signal, ref: false });
    }
  }
}

/** Whether every key that was stored is there and will be found: each row as it was written, in order, as many as the tree has entries. */
export async function findLockStoreDamage(path: string, signal: AbortSignal): Promise<string | undefined> {
  using database = new DatabaseSync(path, { readOnly: true });
  try {
    // One transaction sees one state, whatever is written meanwhile.
    database.exec("BEGIN");
    const size = Number(database.prepare("SELECT size FROM head").get()?.["size"] ?? 0);
    let rows = 0;
    let previous = Buffer.alloc(0);
    for (const row of database.prepare("SELECT key, position, leaf_hash, checksum FROM entry ORDER BY key").iterate()) {
      const key = Buffer.from(String(row["key"]));
      const [index, leafHash] = [Number(row["position"]), row["leaf_hash"]];
      const whole = leafHash instanceof Uint8Array && checksumOf({ key: String(row["key"]), index, leafHash }) === row["checksum"];
      // Rows of a log from before there were checksums have none.
      if (!whole && row["checksum"] !== null) return `the row of index ${index} is not as it was written`;
      if (rows > 0 && previous.compare(key) >= 0) return `the row of index ${index} is out of order`;
      previous = key;
      rows += 1;
      if (rows % rowsAtOnce === 0) await setImmediate(undefined, { signal });
    }
    return rows === size ? undefined : `it has ${rows} keys for ${size} entries`;
  } catch (error) {
    if (signal.aborted) throw error;
    return error instanceof Error ? error.message : String(error);
  }
}
