import { open, readFile } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { syncDirectory } from "@quorate/service/durable-file";
import { dirname } from "node:path";
import { NotStagedError } from "./not-staged-error.ts";

/**
 * What is durable before it is in the tiles. `batch`: entries that were, or were about to be, sequenced after the tree of `oldSize`.
 * `published`: a checkpoint with its cosignatures, as it was released.
 */
export type JournalRecord =
  | { readonly kind: "batch"; readonly oldSize: number; readonly entries: readonly Uint8Array[] }
  | { readonly kind: "published"; readonly note: string };

const kindByte = { batch: 1, published: 2 } as const;
const headerBytes = 9;

/**
 * One append-only file of staged records: `kind (1 byte) ‖ payload length (u32 BE) ‖ CRC-32 of the payload (u32 BE) ‖ payload`. A record is one
 * write and one fdatasync. It is the only thing that a batch makes durable by itself; tiles become durable when a whole journal is retired.
 */
export class Journal implements AsyncDisposable {
  readonly path: string;
  readonly #file: FileHandle;
  #sizeBytes = 0;
  #last: Promise<void> = Promise.resolve();
  #broken: unknown;

  private constructor(path: string, file: FileHandle) {
    this.path = path;
    this.#file = file;
  }

  /** @throws Error (code `EEXIST`) rather than touch a journal that is there */
  static async create(path: string): Promise<Journal> {
    const file = await open(path, "wx", 0o600);
    await syncDirectory(dirname(path));
    return new Journal(path, file);
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /**
   * Resolves when the record is durable.
   * @throws NotStagedError when it is not there and more may be written
   * @throws Error when nobody knows what is there; every later append throws it too
   */
  append(record: JournalRecord): Promise<void> {
    const written = this.#last.then(() => this.#write(encodeRecord(record)));
    this.#last = written.catch(() => undefined);
    return written;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last;
    await this.#file.close();
  }

  async #write(chunks: readonly Uint8Array[]): Promise<void> {
    if (this.#broken !== undefined) throw this.#broken;
    const length = chunks.reduce((total, chunk) => total + chunk.length, 0);
    try {
      await writeWhole(this.#file, chunks, { position: this.#sizeBytes, length });
    } catch (error) {
      if (!isDiskFull(error)) throw (this.#broken = error);
      await this.#file.truncate(this.#sizeBytes).catch((truncating: unknown) => {
        throw (this.#broken = truncating);
      });
      throw new NotStagedError("disk-full", { cause: error });
    }
    // After a failed fdatasync the kernel may have dropped the pages and report success next time: nothing here can be trusted again.
    await this.#file.datasync().catch((error: unknown) => {
      throw (this.#broken = error);
    });
    this.#sizeBytes += length;
  }
}

async function writeWhole(file: FileHandle, chunks: readonly Uint8Array[], at: { position: number; length: number }): Promise<void> {
  const { bytesWritten } = await file.writev([...chunks], at.position);
  if (bytesWritten === at.length) return;
  // A short write is how a full disk often shows; writing the rest brings the error, or the rest.
  const rest = Buffer.concat(chunks).subarray(bytesWritten);
  const second = await file.write(rest, 0, rest.length, at.position + bytesWritten);
  if (second.bytesWritten !== rest.length)
    throw Object.assign(new Error("writing to the journal: the write was cut short twice"), { code: "ENOSPC" });
}

function isDiskFull(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT");
}

export async function readJournal(path: string): Promise<JournalRecord[]> {
  return decodeRecords(await readFile(path));
}

/**
 * The records of a journal, up to the first that is not whole: what follows was being written when the process ended, and nobody was told
 * of it. Whether more is missing than that shows when the tree is compared with the lock store's checkpoint.
 */
export function decodeRecords(bytes: Buffer): JournalRecord[] {
  const records: JournalRecord[] = [];
  let offset = 0;
  while (offset + headerBytes <= bytes.length) {
    const end = offset + headerBytes + bytes.readUInt32BE(offset + 1);
    if (end > bytes.length) break;
    const payload = bytes.subarray(offset + headerBytes, end);
    if (crc32(payload) !== bytes.readUInt32BE(offset + 5)) break;
    const record = decode(bytes[offset], payload);
    if (record === undefined) break;
    records.push(record);
    offset = end;
  }
  return records;
}

/** A batch's payload: old size (u64 BE), then each entry behind its length (u16 BE). A publication's: the note. */
export function encodeRecord(record: JournalRecord): Uint8Array[] {
  const payload = record.kind === "published" ? [Buffer.from(record.note, "utf8")] : encodeBatch(record.oldSize, record.entries);
  const header = Buffer.alloc(headerBytes);
  header[0] = kindByte[record.kind];
  header.writeUInt32BE(
    payload.reduce((total, chunk) => total + chunk.length, 0),
    1,
  );
  header.writeUInt32BE(
    payload.reduce((checksum, chunk) => crc32(chunk, checksum), 0),
    5,
  );
  return [header, ...payload];
}

function encodeBatch(oldSize: number, entries: readonly Uint8Array[]): Buffer[] {
  const payload = Buffer.allocUnsafe(8 + entries.reduce((total, entry) => total + 2 + entry.length, 0));
  payload.writeBigUInt64BE(BigInt(oldSize));
  let offset = 8;
  for (const entry of entries) {
    payload.writeUInt16BE(entry.length, offset);
    payload.set(entry, offset + 2);
    offset += 2 + entry.length;
  }
  return [payload];
}

function decode(kind: number | undefined, payload: Buffer): JournalRecord | undefined {
  if (kind === kindByte.published) return { kind: "published", note: payload.toString("utf8") };
  if (kind !== kindByte.batch || payload.length < 8) return undefined;
  const entries: Uint8Array[] = [];
  for (let offset = 8; offset < payload.length;) {
    const end = offset + 2 + (offset + 2 <= payload.length ? payload.readUInt16BE(offset) : payload.length);
    if (end > payload.length) return undefined;
    entries.push(payload.subarray(offset + 2, end));
    offset = end;
  }
  return { kind: "batch", oldSize: Number(payload.readBigUInt64BE()), entries };
}
