import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { parseSha256 } from "@quorate/protocol/digest";
import type { LargeEnvelope } from "@quorate/protocol/large-envelope";
import type { DataDirectory } from "@quorate/service/data-directory";
import { openDurableDatabase } from "@quorate/service/durable-database";
import { type Hash, hashBytes, hashFrom } from "@quorate/tlog/hash";
import { readModelTables } from "./read-model-tables.ts";
import { suiteTables } from "./suite-tables.ts";

/** How far the log has been read: the size, the right edge of the tree of that size, and the cosigned checkpoint that it was read under. */
export type ReadTo = { readonly size: number; readonly peaks: readonly Hash[]; readonly checkpoint: string };

/** Bumped when the tables change, or what is kept in them: what was read is then read again. */
export const readModelFormat = 5;

/** Large envelopes that are tried to be had each time that the log is followed. */
export const unopenedAtOnce = 100;

/** Opens the read model of a data directory; one of other tables is thrown away. */
export async function openReadModel(directory: DataDirectory): Promise<ReadModel> {
  const path = join(directory.path, "read-model.sqlite");
  if (directory.format !== readModelFormat) {
    for (const suffix of ["", "-wal", "-shm"]) await rm(`${path}${suffix}`, { force: true });
    await directory.markFormat(readModelFormat);
  }
  return new ReadModel(path);
}

/** What the log says, as pages ask for it. All of it can be read again from the log, so nothing here is a fact of its own. */
export class ReadModel implements Disposable {
  readonly #database: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();
  #opened = 0;
  #triedTo = -1;

  constructor(path: string) {
    this.#database = openDurableDatabase(path, `${readModelTables}${suiteTables}`);
  }

  /** A statement, prepared once. */
  prepare(sql: string): StatementSync {
    const prepared = this.#prepared.get(sql) ?? this.#database.prepare(sql);
    this.#prepared.set(sql, prepared);
    return prepared;
  }

  run(sql: string, ...values: SQLInputValue[]) {
    return this.prepare(sql).run(...values);
  }

  /** A statement that nobody else uses, for rows that are read one at a time. */
  prepareAnew(sql: string): StatementSync {
    return this.#database.prepare(sql);
  }

  readTo(): ReadTo {
    const row = this.prepare("SELECT size, peaks, checkpoint FROM read_to").get();
    if (row === undefined || !(row["peaks"] instanceof Uint8Array)) return { size: 0, peaks: [], checkpoint: "" };
    const bytes = row["peaks"];
    const peaks = Array.from({ length: bytes.length / hashBytes }, (_, at) => hashFrom(bytes.slice(at * hashBytes, (at + 1) * hashBytes)));
    return { size: Number(row["size"]), peaks, checkpoint: String(row["checkpoint"]) };
  }

  /** Saves what `save` saves and how far the log is read then, together or not at all. */
  saveReadTo({ size, peaks, checkpoint }: ReadTo, save: () => void): void {
    this.#transact(() => {
      save();
      this.run(
        "INSERT OR REPLACE INTO read_to (only, size, peaks, checkpoint) VALUES (1, ?, ?, ?)",
        size,
        Buffer.concat(peaks),
        checkpoint,
      );
    });
  }

  /** Keeps the name of a large envelope until it can be had. */
  saveUnopened(index: number, { envelope, sizeBytes }: LargeEnvelope): void {
    this.run("INSERT OR IGNORE INTO unopened VALUES (?, ?, ?)", index, envelope, sizeBytes);
  }

  /** Saves what `save` saves of a large envelope and that it is opened, together or not at all. */
  saveOpened(index: number, save: () => void): void {
    this.#transact(() => {
      save();
      this.run("DELETE FROM unopened WHERE log_index = ?", index);
    });
    this.#opened += 1;
  }

  /** Large envelopes that were opened since the start: pages may have changed although the log has not grown. */
  get opened(): number {
    return this.#opened;
  }

  /** The next few of the large envelopes that are not opened; from the first on again after the last, so that none waits for another. */
  nextUnopened(): { index: number; large: LargeEnvelope }[] {
    const rows = this.prepare("SELECT log_index, envelope, size_bytes FROM unopened WHERE log_index > ? ORDER BY log_index LIMIT ?").all(
      this.#triedTo,
      unopenedAtOnce,
    );
    this.#triedTo = rows.length < unopenedAtOnce ? -1 : Number(rows.at(-1)?.["log_index"]);
    return rows.map((row) => ({
      index: Number(row["log_index"]),
      large: { envelope: parseSha256(String(row["envelope"])), sizeBytes: Number(row["size_bytes"]) },
    }));
  }

  /** Large envelopes that have been named and not opened. */
  countUnopened(): number {
    return Number(this.prepare("SELECT count(*) AS count FROM unopened").get()?.["count"] ?? 0);
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  #transact(save: () => void): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      save();
      this.#database.exec("COMMIT");
    } catch (error) {
      this.#database.exec("ROLLBACK");
      throw error;
    }
  }
}
