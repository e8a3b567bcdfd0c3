import type { DatabaseSync } from "node:sqlite";
import { openDurableDatabase } from "@quorate/service/durable-database";
import { hashFrom } from "@quorate/tlog/hash";
import type { Hash } from "@quorate/tlog/hash";

/** The newest checkpoint of a log that this witness has cosigned, as it was cosigned. */
export type WitnessedCheckpoint = { readonly size: number; readonly root: Hash; readonly note: string };

const schema = `
  CREATE TABLE IF NOT EXISTS checkpoint (origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL) STRICT;
`;

/** A witness's whole memory: the newest cosigned checkpoint of each origin. Durable before anybody hears of it. */
export class WitnessStore implements Disposable {
  readonly #database: DatabaseSync;
  readonly #statements;

  constructor(path: string) {
    this.#database = openDurableDatabase(path, schema);
    this.#statements = {
      find: this.#database.prepare("SELECT size, root, note FROM checkpoint WHERE origin = ?"),
      insert: this.#database.prepare(
        "INSERT INTO checkpoint (origin, size, root, note) VALUES (?, ?, ?, ?) ON CONFLICT (origin) DO NOTHING",
      ),
      update: this.#database.prepare("UPDATE checkpoint SET size = ?, root = ?, note = ? WHERE origin = ? AND size = ? AND root = ?"),
    };
  }

  find(origin: string): WitnessedCheckpoint | undefined {
    const row = this.#statements.find.get(origin);
    if (row === undefined || !(row["root"] instanceof Uint8Array)) return undefined;
    return { size: Number(row["size"]), root: hashFrom(row["root"]), note: String(row["note"]) };
  }

  /** Replaces `from` (undefined: none yet) with `to`, durably; false when another checkpoint is stored by now. */
  swap(origin: string, from: WitnessedCheckpoint | undefined, to: WitnessedCheckpoint): boolean {
    const { insert, update } = this.#statements;
    const { changes } =
      from === undefined
        ? insert.run(origin, to.size, to.root, to.note)
        : update.run(to.size, to.root, to.note, origin, from.size, from.root);
    return changes === 1;
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}
