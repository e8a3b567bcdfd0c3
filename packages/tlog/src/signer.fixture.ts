import { ed25519 } from "@noble/curves/ed25519.js";
import { ml_dsa44 } from "@noble/post-quantum/ml-dsa.js";
import { type NoteAlgorithm, type NoteSigner, noteKeyOf } from "./note.ts";

/** For tests: a signer whose secret is 32 times `seed`. */
export function testSigner(name: string, seed: number, algorithm: NoteAlgorithm = "ed25519"): NoteSigner {
  const secret = new Uint8Array(32).fill(seed);
  if (algorithm === "ml-dsa-44") {
    const { publicKey, secretKey } = ml_dsa44.keygen(secret);
    return { key: noteKeyOf({ name, algorithm, publicKey }), sign: (message) => ml_dsa44.sign(message, secretKey) };
  }
  const key = noteKeyOf({ name, algorithm, publicKey: ed25519.getPublicKey(secret) });
  return { key, sign: (message) => ed25519.sign(message, secret) };
}
