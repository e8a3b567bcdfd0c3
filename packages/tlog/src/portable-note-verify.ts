import { ml_dsa44 } from "@noble/post-quantum/ml-dsa.js";
import { type NoteVerify, mlDsa44PublicKeyBytes, mlDsa44SignatureBytes } from "./note-verify.ts";
import { verifyEd25519Portable } from "./portable-ed25519.ts";

/** Runs everywhere; where there is a native implementation it is faster. */
export const verifyNoteSignaturePortable: NoteVerify = (publicKey, message, signature) => {
  if (publicKey.length !== mlDsa44PublicKeyBytes) return verifyEd25519Portable(publicKey, message, signature);
  return signature.length === mlDsa44SignatureBytes && ml_dsa44.verify(signature, message, publicKey);
};
