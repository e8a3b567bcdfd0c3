import { readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { makeDurableDirectory, syncDirectory } from "@quorate/service/durable-file";
import type { Hash } from "@quorate/tlog/hash";
import { Journal, readJournal } from "./journal.ts";
import type { JournalRecord } from "./journal.ts";
import type { TileStore } from "./tile-store.ts";

/** A journal is retired when it is this large, or has this many batches: it bounds recovery time and superseded partial tiles. */
const maxJournalBytes = 32 * 1_048_576;
const maxJournalBatches = 256;

/** The staging area: everything that is durable and not yet durable in the tiles. */
export interface Staging extends AsyncDisposable {
  /**
   * Resolves when the record is durable; `tree` is what it leads to.
   * @throws NotStagedError when nothing was staged and more may be
   * @throws Error when nobody knows what was
   */
  append(record: JournalRecord, tree: { readonly size: number; readonly root: Hash }): Promise<void>;
  /** Whether it is time to `rotate`. */
  readonly isLarge: boolean;
  /**
   * Lets go of what is durable in the tiles, once it is. To be called when the tiles of every batch appended so far have been written; resolves
   * when the next batch may be appended, and `retired` when that is done.
   */
  rotate(): Promise<{ retired: Promise<void> }>;
}

/**
 * A directory of journals, of which the last is written to; the others go as soon as the tiles that were made from them are on disk.
 */
export class JournalStaging implements Staging {
  readonly #directory: string;
  readonly #store: TileStore;
  #journal: Journal;
  #number: number;
  #batches = 0;
  #published: string | undefined;
  #retiring: Promise<void> | undefined;

  private constructor(directory: string, store: TileStore, first: { journal: Journal; number: number }) {
    this.#directory = directory;
    this.#store = store;
    this.#journal = first.journal;
    this.#number = first.number;
  }

  /** Opens the directory and returns what was staged when the last process ended, in order. */
  static async open(directory: string, store: TileStore): Promise<{ staging: JournalStaging; records: JournalRecord[] }> {
    await makeDurableDirectory(directory, 0o700);
    const numbers = await journalNumbers(directory);
    const records: JournalRecord[] = [];
    for (const number of numbers) records.push(...(await readJournal(journalPath(directory, number))));
    const number = (numbers.at(-1) ?? 0) + 1;
    const staging = new JournalStaging(directory, store, { journal: await Journal.create(journalPath(directory, number)), number });
    staging.#published = records.findLast((record) => record.kind === "published")?.note;
    return { staging, records };
  }

  async append(record: JournalRecord): Promise<void> {
    await this.#journal.append(record);
    if (record.kind === "batch") this.#batches += 1;
    else this.#published = record.note;
  }

  get isLarge(): boolean {
    return this.#retiring === undefined && (this.#journal.sizeBytes > maxJournalBytes || this.#batches >= maxJournalBatches);
  }

  /** Starts a new journal and, in the background, makes the tiles durable and drops the older journals. */
  async rotate(): Promise<{ retired: Promise<void> }> {
    await this.#retiring;
    const old = this.#journal;
    const number = this.#number + 1;
    this.#journal = await Journal.create(journalPath(this.#directory, number));
    this.#number = number;
    this.#batches = 0;
    const retired = this.#retire(old, number).finally(() => {
      this.#retiring = undefined;
    });
    this.#retiring = retired;
    return { retired };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#retiring;
    await this.#journal[Symbol.asyncDispose]();
  }

  async #retire(old: Journal, firstKept: number): Promise<void> {
    await old[Symbol.asyncDispose]();
    // The file `checkpoint` may not be durable yet and its record goes with the old journal; the order of such records does not matter.
    if (this.#published !== undefined) await this.#journal.append({ kind: "published", note: this.#published });
    await this.#store.sync();
    for (const number of await journalNumbers(this.#directory)) {
      if (number < firstKept) await unlink(journalPath(this.#directory, number));
    }
    await syncDirectory(this.#directory);
  }
}

async function journalNumbers(directory: string): Promise<number[]> {
  const names = await readdir(directory);
  return names
    .flatMap((name) => /^(\d{12})\.journal$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

function journalPath(directory: string, number: number): string {
  return join(directory, `${String(number).padStart(12, "0")}.journal`);
}
