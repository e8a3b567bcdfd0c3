import { p256 } from "@noble/curves/nist.js";
import { type VerifySignature, parseP256Spki } from "./p256.ts";

/** Runs everywhere; where there is a native implementation it is some twenty times as fast. OpenSSL signs with high and low s alike. */
export const verifyP256Portable: VerifySignature = (spkiDer, message, signature) => {
  try {
    return p256.verify(signature, message, parseP256Spki(spkiDer), { format: "der", lowS: false });
  } catch {
    // Bytes that are no key or no signature sign nothing.
    return false;
  }
};
