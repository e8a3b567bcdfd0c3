import type { Hash } from "@quorate/tlog/hash";
import { decodeRecords, encodeRecord } from "./journal.ts";
import type { JournalRecord } from "./journal.ts";
import { NotStagedError } from "./not-staged-error.ts";
import type { PostgresLockStore } from "./postgres-lock-store.ts";
import type { S3Bucket } from "./s3-bucket.ts";
import type { Staging } from "./staging.ts";
import type { TileStore } from "./tile-store.ts";

type Tree = { readonly size: number; readonly root: Hash };

export type S3StagingStores = { readonly bucket: S3Bucket; readonly lock: PostgresLockStore; readonly store: TileStore };

const prefix = "staging/";

/**
 * Batches as objects of the bucket, each named for the tree that it makes, so that the one which the lock store's head needs is found by name
 * whatever a rival has staged; releases in the lock store, which knows the largest.
 */
export class S3Staging implements Staging {
  readonly #stores: S3StagingStores;
  #staged: string[];
  #retiring: Promise<void> = Promise.resolve();

  private constructor(stores: S3StagingStores, staged: string[]) {
    this.#stores = stores;
    this.#staged = staged;
  }

  /** Opens the bucket and returns what the signed tree `head` may still need: its last batch, and the last release. */
  static async open(stores: S3StagingStores, head: Tree | undefined): Promise<{ staging: S3Staging; records: JournalRecord[] }> {
    const { bucket, lock } = stores;
    const [bundle, note] = await Promise.all([head === undefined ? undefined : bucket.get(nameOf(head)), lock.published()]);
    const records: JournalRecord[] = bundle === undefined ? [] : decodeRecords(Buffer.from(bundle));
    if (note !== undefined) records.push({ kind: "published", note });
    // A rival may yet swap to a larger tree; to one of the head's size or less never again.
    const left = await bucket.list(prefix);
    const staged = left.filter((name) => sizeOf(name) <= (head?.size ?? -1));
    return { staging: new S3Staging(stores, staged), records };
  }

  async append(record: JournalRecord, tree: Tree): Promise<void> {
    const { bucket, lock } = this.#stores;
    if (record.kind === "published") return lock.publish(tree.size, record.note);
    const name = nameOf(tree);
    try {
      const headers = { contentType: "application/octet-stream", cacheControl: "private" };
      await bucket.put(name, Buffer.concat(encodeRecord(record)), headers);
    } catch (cause) {
      // Should the object be there after all: no head will ever name it, since the next batch makes another tree.
      throw new NotStagedError("store-unavailable", { cause });
    }
    this.#staged.push(name);
  }

  get isLarge(): boolean {
    return this.#staged.length > 0;
  }

  async rotate(): Promise<{ retired: Promise<void> }> {
    await this.#retiring;
    const retired = this.#retire(this.#staged);
    this.#staged = [];
    this.#retiring = retired.catch(() => undefined);
    return { retired };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#retiring;
  }

  async #retire(names: readonly string[]): Promise<void> {
    const { bucket, store } = this.#stores;
    // What could not be deleted does no harm, and the next start tries again.
    await Promise.allSettled([store.sync(), ...names.map((name) => bucket.delete(name))]);
  }
}

/** `staging/<size in 16 digits>-<root in hexadecimal>`. */
function nameOf({ size, root }: Tree): string {
  return `${prefix}${String(size).padStart(16, "0")}-${Buffer.from(root).toString("hex")}`;
}

function sizeOf(name: string): number {
  const digits = /^staging\/(\d{16})-[0-9a-f]{64}$/.exec(name)?.[1];
  return digits === undefined ? Number.POSITIVE_INFINITY : Number(digits);
}
