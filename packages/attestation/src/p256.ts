import { ParseError } from "@quorate/protocol/parse-error";
import { hex } from "@scure/base";

/**
 * Whether `signature` (ECDSA, ASN.1 DER) is by the P-256 key `identity` (SubjectPublicKeyInfo, DER) over the SHA-256 of `message`. For a keyless
 * identity it is a certified signature; who cannot verify one says `false`, and who can may throw a VerificationError that says what is wrong
 * with it. Must not throw for malformed bytes. What verifies takes one: nobody loads an implementation that is not used.
 */
export type VerifySignature = (identity: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean;

/** SubjectPublicKeyInfo of an uncompressed P-256 point (RFC 5480 §2): everything before the point's 65 bytes. */
const spkiPrefix = hex.decode("3059301306072a8648ce3d020106082a8648ce3d030107034200");
const pointBytes = 65;

/** The curve is y² = x³ − 3x + b modulo the prime (SEC 2 §2.4.2); its points have no other subgroup to be checked for. */
const prime = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
const curveB = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;

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
  const [x, y] = [coordinate(point.subarray(1, 33)), coordinate(point.subarray(33))];
  const isOnCurve = x < prime && y < prime && (y * y - (x * x * x - 3n * x + curveB)) % prime === 0n;
  if (!isOnCurve) throw new ParseError("P-256 public key (a point of the curve)", hex.encode(spkiDer));
  return point;
}

function coordinate(bytes: Uint8Array): bigint {
  return BigInt(`0x${hex.encode(bytes)}`);
}
