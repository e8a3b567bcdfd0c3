import { Buffer } from "node:buffer";
import { hash } from "node:crypto";
import type { Sha256 } from "@quorate/protocol/digest";
import { maxEntryBytes } from "@quorate/protocol/entry";
import type { Hash } from "@quorate/tlog/hash";
import { hashBytes } from "@quorate/tlog/hash";
import type { Hasher } from "@quorate/tlog/merkle";

declare global {
  interface Buffer {
    /** What `write` calls for this encoding, once it has found out which of its arguments are there: a tenth of a node's time. */
    latin1Write(text: string, offset: number, length: number): number;
  }
}

/** Large enough for any entry of a log: memory for each is worth more than a copy. */
const leafPreimage = Buffer.alloc(1 + maxEntryBytes);
const nodePreimage = Buffer.alloc(1 + 2 * hashBytes);
nodePreimage[0] = 1;

/**
 * Hashes leaves and nodes with OpenSSL, about five times as fast as the portable hasher. The digest goes by way of a Latin-1 string, which
 * Node makes faster than a buffer.
 */
export const nodeHasher: Hasher = {
  leaf(entry) {
    const size = 1 + entry.length;
    const preimage = size <= leafPreimage.length ? leafPreimage : Buffer.alloc(size);
    preimage.set(entry, 1);
    return digest(preimage.subarray(0, size));
  },
  node(left, right) {
    nodePreimage.set(left, 1);
    nodePreimage.set(right, 1 + hashBytes);
    return digest(nodePreimage);
  },
  parents(hashes) {
    const count = hashes.length / hashBytes;
    const parents = Buffer.allocUnsafe(Math.ceil(count / 2) * hashBytes);
    const children = Buffer.from(hashes.buffer, hashes.byteOffset, hashes.byteLength);
    for (let index = 0; index + 1 < count; index += 2) {
      children.copy(nodePreimage, 1, index * hashBytes, (index + 2) * hashBytes);
      parents.latin1Write(hash("sha256", nodePreimage, "binary"), (index / 2) * hashBytes, hashBytes);
    }
    if (count % 2 === 1) children.copy(parents, parents.length - hashBytes, hashes.length - hashBytes);
    return parents;
  },
  digest: (bytes) => hash("sha256", bytes, "hex") as Sha256,
};

function digest(preimage: Buffer): Hash {
  const bytes = Buffer.allocUnsafe(hashBytes);
  bytes.latin1Write(hash("sha256", preimage, "binary"), 0, hashBytes);
  return bytes as Uint8Array as Hash;
}
