import type { DatabaseSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import { openDurableDatabase } from "@quorate/service/durable-database";
import { hashFrom } from "@quorate/tlog/hash";
import type { Hash } from "@quorate/tlog/hash";

/** The newest checkpoint that this log has signed. Whatever the tiles say, the tree is this one. */
export type Head = { readonly size: number; readonly note: string; readonly signedAt: number };

/** Under which logical key an entry was appended first. */
export type KeyedEntry = { readonly key: string; readonly index: number; readonly leafHash: Hash };

export type Swap = { readonly from: Head; readonly to: Head; readonly entries: readonly KeyedEntry[] };

/**
 * The compare-and-swap of the signed checkpoint, and the idempotency keys: what makes two checkpoints of one log that are not prefixes of
 * each other impossible. It must never be restored from a backup; keep it out of them.
 */
export interface LockStore {
  head(): Promise<Head | undefined>;
  /** Records the first checkpoint of a new log. */
  create(head: Head): Promise<void>;
  find(key: string): Promise<KeyedEntry | undefined>;
  /**
   * Makes `to` the head if `from` still is, and records the new entries' keys, all or nothing, durably.
   * @throws Error after which nobody can tell which head is stored: the caller must end and start anew from what is
   */
  swap(swap: Swap): Promise<void>;
}

const schema = `
  CREATE TABLE IF NOT EXISTS head (
    id INTEGER PRIMARY KEY CHECK (id = 1), size INTEGER NOT NULL, note TEXT NOT NULL, signed_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS entry (
    key TEXT PRIMARY KEY, position INTEGER NOT NULL, leaf_hash BLOB NOT NULL, checksum INTEGER
  ) STRICT, WITHOUT ROWID;
`;

/** CRC-32 of a row of `entry`: SQLite itself does not notice when a disk changes what it stored. */
export function checksumOf({ key, index, leafHash }: { key: string; index: number; leafHash: Uint8Array }): number {
  return crc32(leafHash, crc32(`${index} ${key}`));
}

/** The lock store in a SQLite database of this process alone. */
export class SqliteLockStore implements LockStore, Disposable {
  readonly #database: DatabaseSync;
  readonly #statements;

  constructor(path: string) {
    this.#database = openDurableDatabase(path, schema);
    addChecksums(this.#database);
    this.#statements = {
      head: this.#database.prepare("SELECT size, note, signed_at FROM head"),
      create: this.#database.prepare("INSERT INTO head (id, size, note, signed_at) VALUES (1, ?, ?, ?)"),
      swap: this.#database.prepare("UPDATE head SET size = ?, note = ?, signed_at = ? WHERE size = ? AND note = ?"),
      find: this.#database.prepare("SELECT position, leaf_hash FROM entry WHERE key = ?"),
      insert: this.#database.prepare("INSERT INTO entry (key, position, leaf_hash, checksum) VALUES (?, ?, ?, ?)"),
    };
  }

  async head(): Promise<Head | undefined> {
    const row = this.#statements.head.get();
    return row === undefined ? undefined : { size: Number(row["size"]), note: String(row["note"]), signedAt: Number(row["signed_at"]) };
  }

  async create(head: Head): Promise<void> {
    this.#statements.create.run(head.size, head.note, head.signedAt);
  }

  async find(key: string): Promise<KeyedEntry | undefined> {
    const row = this.#statements.find.get(key);
    if (row === undefined || !(row["leaf_hash"] instanceof Uint8Array)) return undefined;
    return { key, index: Number(row["position"]), leafHash: hashFrom(row["leaf_hash"]) };
  }

  async swap({ from, to, entries }: Swap): Promise<void> {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const { changes } = this.#statements.swap.run(to.size, to.note, to.signedAt, from.size, from.note);
      if (changes !== 1) throw new Error(`swapping the checkpoint of size ${from.size} for ${to.size}: another process has swapped it`);
      for (const entry of entries) this.#statements.insert.run(entry.key, entry.index, entry.leafHash, checksumOf(entry));
      this.#database.exec("COMMIT");
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}

/** A lock store from before there were checksums gets the column. */
function addChecksums(database: DatabaseSync): void {
  const columns = database.prepare("SELECT name FROM pragma_table_info('entry')").all();
  if (!columns.some(({ name }) => name === "checksum")) database.exec("ALTER TABLE entry ADD COLUMN checksum INTEGER");
}
