import { readFile } from "node:fs/promises";
import { parseSha256, type Sha256 } from "@quorate/protocol/digest";
import { changedAtOf, type FileIdentity, settledSeconds } from "./file-identity.ts";
import type { FileDigest } from "./host-tree.ts";

const header = Buffer.from("quorate hash cache v2\n\n\n");
const rowBytes = 80;
const digestOffset = 40;
const hashedAtOffset = 72;
const maxRows = 6_000_000;

/** Everything is hashed again after a day, and a part of it at every run: a write to the disk below the file system changes no time. */
const maxAgeSeconds = 86_400;
const rehashedShare = 0.05;

type Given = { now: Date; random: () => number };

/**
 * Digests of files that have not changed, as far as their times say. It makes an audit faster, and proves nothing: a raw write to the disk goes
 * unseen until a file is hashed again.
 *
 * After a header of 24 bytes a row of 80 bytes a file, little-endian: device, inode, size, mtime and ctime in nanoseconds since 1970, each a signed
 * 64-bit number; the digest; the second since 1970 in which it was computed, a 64-bit float.
 */
export class HashCache {
  readonly #before: Rows;
  /** Rows of those before that are in use. */
  readonly #kept = new Set<number>();
  readonly #added: { identity: FileIdentity; sha256: Sha256 }[] = [];
  readonly #now: number;
  readonly #random: () => number;
  #oldestAt: number;
  #reused = 0;

  /** @param content as `format` made it; a cache that is damaged is empty */
  constructor(content: Uint8Array, { now, random }: Given) {
    this.#now = Math.floor(now.getTime() / 1000);
    this.#oldestAt = this.#now;
    this.#random = random;
    this.#before = new Rows(content);
  }

  /** A digest that may be used again; `undefined` for a file that has changed, is due, or is in this run's sample. */
  find(identity: FileIdentity): FileDigest | undefined {
    const row = this.#before.find(identity);
    if (row === undefined) return undefined;
    const hashedAt = this.#before.hashedAt(row);
    if (!(hashedAt <= this.#now && this.#now - hashedAt <= maxAgeSeconds)) return undefined;
    if (this.#random() < rehashedShare) return undefined;
    this.#kept.add(row);
    this.#reused += 1;
    this.#oldestAt = Math.min(this.#oldestAt, hashedAt);
    return { kind: "hashed", sha256: this.#before.sha256(row) };
  }

  /** Remembers a digest of a file that was the same before and after, and not just written. */
  remember(identity: FileIdentity, digest: FileDigest | undefined): void {
    if (digest?.kind !== "hashed" || this.#now - changedAtOf(identity) < settledSeconds) return;
    this.#added.push({ identity, sha256: digest.sha256 });
  }

  /** How many digests were used again. */
  get reused(): number {
    return this.#reused;
  }

  /** Of the digests that are in use, the second in which the oldest was computed. */
  get oldestAt(): number {
    return this.#oldestAt;
  }

  /** Of files that are there no more nothing is kept. */
  format(): Uint8Array {
    const content = Buffer.alloc(header.length + (this.#kept.size + this.#added.length) * rowBytes);
    header.copy(content);
    let at = header.length;
    for (const row of this.#kept) at += this.#before.copy(row, content, at);
    for (const { identity, sha256 } of this.#added) at += writeRow(content, at, { identity, sha256, hashedAt: this.#now });
    return content;
  }
}

/** A cache's rows where they are, found by inode. */
class Rows {
  readonly #bytes: Buffer;
  readonly #numbers: BigInt64Array;
  readonly #rowOf = new Map<bigint, number>();

  constructor(content: Uint8Array) {
    const count = (content.length - header.length) / rowBytes;
    const isCache = Number.isInteger(count) && count >= 0 && count <= maxRows && header.equals(content.subarray(0, header.length));
    // Numbers are looked at where they are, which must begin at a multiple of 8.
    this.#bytes = Buffer.from(Uint8Array.from(isCache ? content.subarray(header.length) : []).buffer);
    this.#numbers = new BigInt64Array(this.#bytes.buffer);
    // Of files of two devices with one inode number one is hashed at every run.
    for (let row = 0; row < this.#bytes.length / rowBytes; row += 1) this.#rowOf.set(this.#numbers[row * (rowBytes / 8) + 1] ?? 0n, row);
  }

  find({ dev, ino, size, mtimeNs, ctimeNs }: FileIdentity): number | undefined {
    const row = this.#rowOf.get(ino);
    if (row === undefined) return undefined;
    const at = row * (rowBytes / 8);
    const numbers = this.#numbers;
    const isSame = numbers[at] === dev && numbers[at + 2] === size && numbers[at + 3] === mtimeNs && numbers[at + 4] === ctimeNs;
    return isSame ? row : undefined;
  }

  hashedAt(row: number): number {
    return this.#bytes.readDoubleLE(row * rowBytes + hashedAtOffset);
  }

  sha256(row: number): Sha256 {
    const at = row * rowBytes + digestOffset;
    return parseSha256(this.#bytes.toString("hex", at, at + 32));
  }

  copy(row: number, target: Buffer, at: number): number {
    return this.#bytes.copy(target, at, row * rowBytes, (row + 1) * rowBytes);
  }
}

function writeRow(content: Buffer, at: number, row: { identity: FileIdentity; sha256: Sha256; hashedAt: number }): number {
  const { dev, ino, size, mtimeNs, ctimeNs } = row.identity;
  for (const [place, number] of [dev, ino, size, mtimeNs, ctimeNs].entries())
    content.writeBigInt64LE(BigInt.asIntN(64, number), at + place * 8);
  content.write(row.sha256, at + digestOffset, "hex");
  content.writeDoubleLE(row.hashedAt, at + hashedAtOffset);
  return rowBytes;
}

/** A cache's content; none where there is no file. A cache that is damaged is thrown away: it holds nothing that cannot be computed again. */
export async function loadCache(path: string): Promise<Uint8Array> {
  return await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return new Uint8Array();
    throw error;
  });
}
