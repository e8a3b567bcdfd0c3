import { hash } from "node:crypto";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { type Hasher, MerkleFrontier, leafHash, rootOf } from "@quorate/tlog/merkle";
import { portableHasher } from "@quorate/tlog/portable-hasher";
import { type Figure, ratePerSecond } from "./figure.ts";

const leaves = 1024;

/** Hashing of tree nodes and of whole trees, beside the one-shot SHA-256 of 65 bytes that the same process can do. */
export async function measure(): Promise<Figure[]> {
  const preimage = Buffer.alloc(65, 1);
  const oneShot = ratePerSecond(() => hash("sha256", preimage, "binary"));
  const measured = (name: string, hasher: Hasher): Figure[] => {
    const entry = new Uint8Array(1024).fill(3);
    const leaf = leafHash(entry, hasher);
    const tree = Array.from({ length: leaves }, (_, index) => leafHash(Uint8Array.of(index & 255, index >> 8), hasher));
    const nodes = ratePerSecond(() => hasher.node(leaf, leaf));
    const roots = ratePerSecond(() => rootOf(tree, hasher), { perCall: leaves - 1 });
    const appends = ratePerSecond(
      () => {
        const frontier = MerkleFrontier.empty(hasher);
        for (let index = 0; index < leaves; index += 1) frontier.append(leafHash(entry, hasher));
      },
      { perCall: leaves },
    );
    const beside = (value: number) => ({ value, ratio: value / oneShot, reference: "one-shot SHA-256 of 65 bytes" });
    return [
      { name: `node hash, ${name}`, unit: "nodes/s", ...beside(nodes) },
      { name: `root of ${leaves} leaves, ${name}`, unit: "nodes/s", ...beside(roots) },
      { name: `hash and append entries of 1 KiB, ${name}`, unit: "entries/s", ...beside(appends) },
    ];
  };
  return [...measured("OpenSSL", nodeHasher), ...measured("portable", portableHasher)];
}
