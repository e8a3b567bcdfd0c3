import { createHash, createPublicKey, verify } from "node:crypto";

// A reader of tile logs written from the C2SP specifications alone (tlog-tiles, tlog-checkpoint, signed-note, tlog-cosignature) and RFC 6962.
// It shares no code with this repository: what it accepts, other people's clients accept.

/** The bytes at a path below the log's prefix, or undefined when there is nothing. */
export type Fetch = (path: string) => Promise<Buffer | undefined>;

export type Tree = { size: number; root: Buffer };

const tileHashes = 256;

/** A note's text with the names of its signers, each checked: log keys (type 1) and witness keys (type 4). */
export function openCheckpoint(note: string, vkeys: readonly string[]): Tree & { origin: string; signers: string[] } {
  const at = note.lastIndexOf("\n\n");
  const text = note.slice(0, at + 1);
  const lines = note.slice(at + 2).split("\n");
  if (at < 0 || lines.pop() !== "") throw new Error("no signed note");
  const signers: string[] = [];
  for (const line of lines) {
    const [dash, name = "", encoded = "", ...more] = line.split(" ");
    if (dash !== "\u2014" || more.length > 0) throw new Error(`no signature line: ${line}`);
    const bytes = Buffer.from(encoded, "base64");
    for (const vkey of vkeys) if (isSignedBy(vkey, { name, bytes, text })) signers.push(name);
  }
  const [origin = "", size = "", root = "", end, ...extensions] = text.split("\n");
  if (end !== "" || extensions.length > 0 || !/^(0|[1-9][0-9]*)$/.test(size)) throw new Error("no checkpoint");
  return { origin, size: Number(size), root: Buffer.from(root, "base64"), signers };
}

function isSignedBy(vkey: string, { name, bytes, text }: { name: string; bytes: Buffer; text: string }): boolean {
  const [, keyName = "", id = "", encoded = ""] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(vkey) ?? [];
  const typed = Buffer.from(encoded, "base64");
  if (keyName !== name || bytes.subarray(0, 4).toString("hex") !== id) return false;
  const expectedId = createHash("sha256").update(keyName).update("\n").update(typed).digest().subarray(0, 4);
  if (expectedId.toString("hex") !== id) throw new Error(`the key ID of ${keyName} is not its own`);
  const key = createPublicKey({ format: "jwk", key: { kty: "OKP", crv: "Ed25519", x: typed.subarray(1).toString("base64url") } });
  const value = bytes.subarray(4);
  const isCosignature = typed[0] === 4;
  const message = isCosignature ? `cosignature/v1\ntime ${value.readBigUInt64BE(0)}\n${text}` : text;
  if (!verify(null, Buffer.from(message), key, isCosignature ? value.subarray(8) : value)) throw new Error(`a wrong signature by ${name}`);
  return true;
}

export const leafHash = (entry: Uint8Array): Buffer => sha256(Buffer.of(0), entry);
const nodeHash = (left: Uint8Array, right: Uint8Array): Buffer => sha256(Buffer.of(1), left, right);

function sha256(...parts: Uint8Array[]): Buffer {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** MTH of RFC 6962 §2.1, as it is written there. */
export function treeHash(leaves: readonly Buffer[]): Buffer {
  const [only] = leaves;
  if (only === undefined) return sha256();
  if (leaves.length === 1) return only;
  const split = splitOf(leaves.length);
  return nodeHash(treeHash(leaves.slice(0, split)), treeHash(leaves.slice(split)));
}

/** MTH(D[0:n]) for every n from 0 to the number of leaves: the roots of the complete subtrees that are left of n, folded from the right. */
export function prefixHashes(leaves: readonly Buffer[]): Buffer[] {
  const complete: Buffer[] = [];
  const hashes = [treeHash([])];
  for (const [index, leaf] of leaves.entries()) {
    complete.push(leaf);
    for (let count = index + 1; count % 2 === 0; count /= 2) complete.push(nodeHash(...lastTwo(complete)));
    hashes.push(complete.reduceRight((right, left) => nodeHash(left, right)));
  }
  return hashes;
}

function lastTwo(hashes: Buffer[]): [left: Buffer, right: Buffer] {
  const [left, right] = hashes.splice(-2);
  if (left === undefined || right === undefined) throw new Error("there are no two subtrees to join");
  return [left, right];
}

function splitOf(count: number): number {
  let split = 1;
  while (split * 2 < count) split *= 2;
  return split;
}

/** Reads a log of a given tree, tile by tile. */
export class TileLog {
  readonly #fetch: Fetch;
  readonly #size: number;
  readonly #tiles = new Map<string, Buffer>();
  readonly #subtrees = new Map<string, Buffer>();

  constructor(fetch: Fetch, size: number) {
    this.#fetch = fetch;
    this.#size = size;
  }

  /** Every entry, bundle by bundle. */
  async entries(): Promise<Buffer[]> {
    const entries: Buffer[] = [];
    for (let index = 0; index * tileHashes < this.#size; index += 1) {
      const width = Math.min(tileHashes, this.#size - index * tileHashes);
      let rest = await this.#file(pathOf("entries", index, width), pathOf("entries", index, tileHashes));
      for (let count = 0; count < width; count += 1) {
        const end = 2 + rest.readUInt16BE(0);
        if (end > rest.length) throw new Error(`bundle ${index} is cut`);
        entries.push(rest.subarray(2, end));
        rest = rest.subarray(end);
      }
    }
    return entries;
  }

  /** The hash of the leaves from `start` to `end`, from the highest tiles that hold their subtrees. */
  async rangeHash(start: number, end: number): Promise<Buffer> {
    const count = end - start;
    if (Number.isInteger(Math.log2(count)) && start % count === 0) return this.#subtree(Math.log2(count), start / count);
    const split = splitOf(count);
    return nodeHash(await this.rangeHash(start, start + split), await this.rangeHash(start + split, end));
  }

  /** PATH(m, D[n]) of RFC 6962 §2.1.1; n is the tree's size unless it is given. */
  async inclusion(index: number, [start, end] = [0, this.#size]): Promise<Buffer[]> {
    if (end - start === 1) return [];
    const middle = start + splitOf(end - start);
    return index < middle
      ? [...(await this.inclusion(index, [start, middle])), await this.rangeHash(middle, end)]
      : [...(await this.inclusion(index, [middle, end])), await this.rangeHash(start, middle)];
  }

  /** SUBPROOF(m, D[n], b) of RFC 6962 §2.1.2; n is the tree's size unless it is given. */
  async consistency(old: number, [start, end] = [0, this.#size], whole = true): Promise<Buffer[]> {
    if (old === end) return whole ? [] : [await this.rangeHash(start, end)];
    const middle = start + splitOf(end - start);
    return old <= middle
      ? [...(await this.consistency(old, [start, middle], whole)), await this.rangeHash(middle, end)]
      : [...(await this.consistency(old, [middle, end], false)), await this.rangeHash(start, middle)];
  }

  async #subtree(height: number, index: number): Promise<Buffer> {
    const key = `${height}/${index}`;
    const hash = this.#subtrees.get(key) ?? (await this.#readSubtree(height, index));
    this.#subtrees.set(key, hash);
    return hash;
  }

  async #readSubtree(height: number, index: number): Promise<Buffer> {
    const level = Math.floor(height / 8);
    const count = 2 ** (height % 8);
    const first = index * count;
    const tile = Math.floor(first / tileHashes);
    const available = Math.floor(this.#size / tileHashes ** level) - tile * tileHashes;
    const width = Math.min(tileHashes, available);
    const bytes = await this.#file(pathOf(level, tile, width), pathOf(level, tile, tileHashes));
    if (bytes.length !== width * 32 && bytes.length !== tileHashes * 32) throw new Error(`tile ${level}/${tile} has ${bytes.length} bytes`);
    const from = first % tileHashes;
    return treeHash(Array.from({ length: count }, (_, at) => bytes.subarray((from + at) * 32, (from + at + 1) * 32)));
  }

  async #file(path: string, full: string): Promise<Buffer> {
    const bytes = this.#tiles.get(path) ?? (await this.#fetch(path)) ?? (await this.#fetch(full));
    if (bytes === undefined) throw new Error(`${path} is missing`);
    this.#tiles.set(path, bytes);
    return bytes;
  }
}

function pathOf(level: number | "entries", index: number, width: number): string {
  const digits = String(index).padStart(Math.ceil(String(index).length / 3) * 3, "0");
  const groups = digits.match(/.{3}/g) ?? [];
  const name = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join("/");
  return `tile/${level}/${name}${width < tileHashes ? `.p/${width}` : ""}`;
}

/** The root that an inclusion proof leads to (RFC 9162 §2.1.3.2). */
export function rootFromInclusion({
  index,
  size,
  leaf,
  proof,
}: {
  index: number;
  size: number;
  leaf: Buffer;
  proof: readonly Buffer[];
}): Buffer {
  let [at, last, hash] = [index, size - 1, leaf];
  for (const sibling of proof) {
    if (last === 0) throw new Error("the proof is too long");
    if (at % 2 === 1 || at === last) {
      hash = nodeHash(sibling, hash);
      while (at % 2 === 0 && at !== 0) [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
    } else hash = nodeHash(hash, sibling);
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  if (last !== 0) throw new Error("the proof is too short");
  return hash;
}

/** Both roots that a consistency proof leads to (RFC 9162 §2.1.4.2). */
export function rootsFromConsistency(old: Tree, size: number, proof: readonly Buffer[]): { old: Buffer; new: Buffer } {
  if (old.size === size) return { old: old.root, new: old.root };
  const path = Number.isInteger(Math.log2(old.size)) ? [old.root, ...proof] : [...proof];
  let [at, last] = [old.size - 1, size - 1];
  while (at % 2 === 1) [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  const first = path.shift();
  if (first === undefined) throw new Error("the proof is empty");
  let roots = { old: first, new: first };
  for (const hash of path) {
    if (last === 0) throw new Error("the proof is too long");
    if (at % 2 === 1 || at === last) {
      roots = { old: nodeHash(hash, roots.old), new: nodeHash(hash, roots.new) };
      while (at % 2 === 0 && at !== 0) [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
    } else roots = { old: roots.old, new: nodeHash(roots.new, hash) };
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  if (last !== 0) throw new Error("the proof is too short");
  return roots;
}
