import type { Envelope } from "@quorate/attestation/dsse";
import { type HashedRekord, hashedRekordOf } from "@quorate/attestation/hashed-rekord";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { parseBase64 } from "@quorate/tlog/base64";
import { type Enrolled, keysAt } from "@quorate/verdict/enrolled";

/** The operator's key that a result at an index is signed with: SubjectPublicKeyInfo, DER. */
export function identityKeyAt(operator: Enrolled, index: number): Uint8Array {
  return parseBase64("identity key", keysAt(operator, index).identityKey);
}

/** The record of a logged result's signature. */
export function recordOf(envelope: Envelope, operator: Enrolled, index: number): HashedRekord {
  return hashedRekordOf(envelope, identityKeyAt(operator, index), nodeHasher);
}
