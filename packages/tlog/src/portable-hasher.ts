import { sha256 } from "@noble/hashes/sha2.js";
import { sha256Of } from "@quorate/protocol/digest";
import { hashBytes, hashFrom } from "./hash.ts";
import type { Hasher } from "./merkle.ts";

function createPortableHasher(): Hasher {
  const preimage = new Uint8Array(1 + 2 * hashBytes);
  preimage[0] = 1;
  return {
    leaf(entry) {
      const prefixed = new Uint8Array(1 + entry.length);
      prefixed.set(entry, 1);
      return hashFrom(sha256(prefixed));
    },
    node(left, right) {
      preimage.set(left, 1);
      preimage.set(right, 1 + hashBytes);
      return hashFrom(sha256(preimage));
    },
    parents(hashes) {
      const count = hashes.length / hashBytes;
      const parents = new Uint8Array(Math.ceil(count / 2) * hashBytes);
      for (let index = 0; index + 1 < count; index += 2) {
        preimage.set(hashes.subarray(index * hashBytes, (index + 2) * hashBytes), 1);
        parents.set(sha256(preimage), (index / 2) * hashBytes);
      }
      if (count % 2 === 1) parents.set(hashes.subarray(-hashBytes), parents.length - hashBytes);
      return parents;
    },
    digest: sha256Of,
  };
}

/** Runs everywhere, about half a million nodes a second. Use another where millions are hashed. */
export const portableHasher: Hasher = createPortableHasher();
