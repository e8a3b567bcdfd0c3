import type { BigIntStats } from "node:fs";
import { readFile } from "node:fs/promises";
import { type Sha256, parseSha256 } from "@quorate/protocol/digest";
import { ParseError } from "@quorate/protocol/parse-error";
import type { FileDigest } from "./host-tree.ts";

/** What a digest is kept under: whoever writes to a file as the kernel knows it changes one of these. */
export type FileIdentity = string;

export type IdentifiedFile = {
  readonly identity: FileIdentity;
  /** Second since 1970. */
  readonly changedAt: number;
};

type Known = { readonly sha256: Sha256; readonly hashedAt: number };

const header = "quorate hash cache v1";
const maxCacheBytes = 512 * 2 ** 20;

/** Everything is hashed again after a day, and a part of it at every run: a write to the disk below the file system changes no time. */
const maxAgeSeconds = 86_400;
const rehashedShare = 0.05;
/** A file that was just written may be written again within one tick of the clock. */
export const settledSeconds = 2;

/**
 * Digests of files that have not changed, as far as their times say. It makes an audit faster, and proves nothing: a raw write to the disk goes
 * unseen until a file is hashed again. A line a file: device, inode, size, mtime and ctime in nanoseconds; digest; second since 1970.
 *
 *     quorate hash cache v1
 *     2049:131:4096:1764081000123456789:1764081000123456789 9f86… 1764084600
 */
export class HashCache {
  readonly #before: ReadonlyMap<FileIdentity, Known>;
  readonly #after = new Map<FileIdentity, Known>();
  readonly #now: number;
  readonly #random: () => number;
  /** How many digests were used again. */
  reused = 0;

  constructor(text: string, { now, random }: { now: Date; random: () => number }) {
    this.#now = Math.floor(now.getTime() / 1000);
    this.#random = random;
    this.#before = parseCache(text);
  }

  /** A digest that may be used again; `undefined` for a file that has changed, is due, or is in this run's sample. */
  find(identity: FileIdentity): FileDigest | undefined {
    const known = this.#before.get(identity);
    if (known === undefined || known.hashedAt > this.#now || this.#now - known.hashedAt > maxAgeSeconds) return undefined;
    if (this.#random() < rehashedShare) return undefined;
    this.#after.set(identity, known);
    this.reused += 1;
    return { kind: "hashed", sha256: known.sha256 };
  }

  /** Remembers a digest of a file that was the same before and after, and not just written. */
  remember({ identity, changedAt }: IdentifiedFile, digest: FileDigest | undefined): void {
    if (digest?.kind !== "hashed" || this.#now - changedAt < settledSeconds) return;
    this.#after.set(identity, { sha256: digest.sha256, hashedAt: this.#now });
  }

  /** Of the digests that are in use, the second in which the oldest was computed. */
  get oldestAt(): number {
    return [...this.#after.values()].reduce((oldest, { hashedAt }) => Math.min(oldest, hashedAt), this.#now);
  }

  /** Of files that are there no more nothing is kept. */
  format(): string {
    const lines = [...this.#after].map(([identity, { sha256, hashedAt }]) => `${identity} ${sha256} ${hashedAt}\n`);
    return `${header}\n${lines.join("")}`;
  }
}

/** The text of a cache; none where there is no file. A cache that is damaged is thrown away: it holds nothing that cannot be computed again. */
export async function loadCacheText(path: string): Promise<string> {
  return await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "";
    throw error;
  });
}

export function identify(stats: BigIntStats): IdentifiedFile {
  return { identity: identityIn(stats), changedAt: Number(stats.ctimeNs / 1_000_000_000n) };
}

export function identityIn({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): FileIdentity {
  return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
}

function parseCache(text: string): ReadonlyMap<FileIdentity, Known> {
  const known = new Map<FileIdentity, Known>();
  if (text.length > maxCacheBytes || !text.startsWith(`${header}\n`)) return known;
  for (const line of text.slice(header.length + 1).split("\n")) {
    const [identity = "", sha256 = "", hashedAt = ""] = line.split(" ");
    if (!/^\d+:\d+:\d+:-?\d+:-?\d+$/.test(identity) || !/^\d{1,12}$/.test(hashedAt)) continue;
    try {
      known.set(identity, { sha256: parseSha256(sha256), hashedAt: Number(hashedAt) });
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
    }
  }
  return known;
}
