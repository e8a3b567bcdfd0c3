import { p256 } from "@noble/curves/nist.js";
import { ParseError } from "@quorate/protocol/parse-error";
import { hex } from "@scure/base";

/**
 * Whether `signature` (ECDSA, ASN.1 DER) is by the P-256 key `spkiDer` over the SHA-256 of `message`. Must not throw for malformed bytes.
 */
export type VerifySignature = (spkiDer: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean;

/** SubjectPublicKeyInfo of an uncompressed P-256 point (RFC 5480 §2): everything before the point's 65 bytes. */
const spkiPrefix = hex.decode("3059301306072a8648ce3d020106082a8648ce3d030107034200");
const pointBytes = 65;

/**
 * The uncompressed point inside a P-256 public key: SubjectPublicKeyInfo, DER, 91 bytes.
 *
 * @throws ParseError for other kinds of keys and for other spellings of this kind
 */
export function parseP256Spki(spkiDer: Uint8Array): Uint8Array {
  const isP256 = spkiDer.length === spkiPrefix.length + pointBytes && spkiPrefix.every((byte, index) => byte === spkiDer[index]);
  if (!isP256 || spkiDer[spkiPrefix.length] !== 0x04)
    throw new ParseError("P-256 public key (SubjectPublicKeyInfo, DER)", hex.encode(spkiDer));
  return spkiDer.subarray(spkiPrefix.length);
}

/**
 * As `parseP256Spki`, and the point is on the curve: a key with a flipped bit is no key.
 *
 * @throws ParseError
 */
export function parseP256Key(spkiDer: Uint8Array): Uint8Array {
  const point = parseP256Spki(spkiDer);
  try {
    p256.Point.fromBytes(point).assertValidity();
  } catch (cause) {
    throw new ParseError("P-256 public key (a point of the curve)", hex.encode(spkiDer), { cause });
  }
  return point;
}

/** The portable implementation; where thousands are verified a native one is passed in. OpenSSL signs with high and low s alike. */
export const verifyP256Portable: VerifySignature = (spkiDer, message, signature) => {
  try {
    return p256.verify(signature, message, parseP256Spki(spkiDer), { format: "der", lowS: false });
  } catch {
    // Bytes that are no key or no signature sign nothing.
    return false;
  }
};
