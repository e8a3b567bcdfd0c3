import { ed25519 } from "@noble/curves/ed25519.js";
import type { Ed25519Verify } from "./ed25519.ts";

/** Runs everywhere; where there is a native implementation it is faster. */
export const verifyEd25519Portable: Ed25519Verify = (publicKey, message, signature) => {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  try {
    return ed25519.verify(signature, message, publicKey, { zip215: false });
  } catch {
    // A key or signature that is no point of the curve signs nothing.
    return false;
  }
};
