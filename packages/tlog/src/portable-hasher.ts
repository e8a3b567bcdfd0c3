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
    digest: sha256Of,
  };
}

/** Runs everywhere, about half a million nodes a second. Use another where millions are hashed. */
export const portableHasher: Hasher = createPortableHasher();
