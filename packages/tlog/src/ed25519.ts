import { ed25519 } from "@noble/curves/ed25519.js";

/** Whether `signature` (64 bytes) is by `publicKey` (32 bytes) over `message`, as RFC 8032 says. Must not throw for malformed bytes. */
export type Ed25519Verify = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean;

/** The portable implementation; where thousands are verified a native one is passed in. */
export const verifyEd25519Portable: Ed25519Verify = (publicKey, message, signature) => {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  try {
    return ed25519.verify(signature, message, publicKey, { zip215: false });
  } catch {
    // A key or signature that is no point of the curve signs nothing.
    return false;
  }
};
