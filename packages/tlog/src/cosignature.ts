import { ParseError } from "@quorate/protocol/parse-error";
import { utf8 } from "@quorate/protocol/utf8";
import { formatDecimal } from "./decimal.ts";
import type { NoteKey, NoteSignature, NoteSigner } from "./note.ts";
import { type NoteVerify, mlDsa44SignatureBytes } from "./note-verify.ts";
import { VerificationError } from "./verification-error.ts";

/**
 * What a cosigner signs: two lines and the checkpoint's text (C2SP tlog-cosignature, "Ed25519 signed message").
 *
 *     cosignature/v1
 *     time 1679315147
 *     example.com/behind-the-sofa
 *     20852163
 *     CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
 */
export function cosignatureMessage(time: number, checkpointText: string): Uint8Array {
  return utf8(`cosignature/v1\ntime ${formatDecimal("cosignature time", time)}\n${checkpointText}`);
}

/** A cosignature of `text` at `time` (seconds since 1970) by a signer of type `cosignature`. */
export function cosign({ text, time, signer }: { text: string; time: number; signer: NoteSigner }): NoteSignature {
  const { key } = signer;
  if (key.algorithm !== "cosignature") throw new TypeError(`cosigning: ${key.name} is a ${key.algorithm} key`);
  return formatCosignature({ key, time, signature: signer.sign(cosignatureMessage(time, text)) });
}

const ed25519SignatureBytes = 64;

/** The signature line's value: 8 bytes of big-endian time, then the signature: 64 bytes of Ed25519, or 2,420 of ML-DSA-44. */
export function formatCosignature({ key, time, signature }: { key: NoteKey; time: number; signature: Uint8Array }): NoteSignature {
  formatDecimal("cosignature time", time);
  const length = key.algorithm === "ml-dsa-44" ? mlDsa44SignatureBytes : ed25519SignatureBytes;
  if (signature.length !== length) {
    throw new RangeError(`formatting a cosignature by ${key.name}: ${signature.length} bytes instead of ${length}`);
  }
  const timed = new Uint8Array(8 + length);
  new DataView(timed.buffer).setBigUint64(0, BigInt(time));
  timed.set(signature, 8);
  return { name: key.name, keyId: key.keyId, signature: timed };
}

/** @throws ParseError unless the value is a time of at most 2^53 - 1 in 8 bytes, and a signature of `signatureBytes` */
export function parseCosignature(
  { name, signature }: NoteSignature,
  signatureBytes = ed25519SignatureBytes,
): { time: number; signature: Uint8Array } {
  const length = 8 + signatureBytes;
  if (signature.length !== length) throw new ParseError(`cosignature by ${name} of ${length} bytes`, `${signature.length} bytes`);
  const time = Number(new DataView(signature.buffer, signature.byteOffset).getBigUint64(0));
  if (!Number.isSafeInteger(time)) throw new ParseError(`cosignature by ${name} with a time of at most 2^53 - 1`, String(time));
  return { time, signature: signature.slice(8) };
}

/**
 * Verifies one cosignature of a checkpoint's text, and returns its time in seconds since 1970.
 *
 * @throws VerificationError
 */
export function verifyCosignature(check: { text: string; signature: NoteSignature; key: NoteKey; verify: NoteVerify }): number {
  const { text, key, verify } = check;
  const { time, signature } = cosignatureOf(check.signature);
  if (!verify(key.publicKey, cosignatureMessage(time, text), signature)) {
    throw new VerificationError(`verifying a cosignature: the signature by ${key.name} at ${time} is wrong`);
  }
  return time;
}

function cosignatureOf(line: NoteSignature): { time: number; signature: Uint8Array } {
  try {
    return parseCosignature(line);
  } catch (cause) {
    throw new VerificationError(`verifying a cosignature: the one by ${line.name} is malformed`, { cause });
  }
}
