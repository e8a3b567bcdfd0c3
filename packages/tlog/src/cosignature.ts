import { ParseError } from "@quorate/protocol/parse-error";
import { utf8 } from "@quorate/protocol/utf8";
import { formatDecimal } from "./decimal.ts";
import type { Ed25519Verify } from "./ed25519.ts";
import type { NoteKey, NoteSignature, NoteSigner } from "./note.ts";
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

/** The signature line's value: 8 bytes of big-endian time, then the 64 bytes of the Ed25519 signature. */
export function formatCosignature({ key, time, signature }: { key: NoteKey; time: number; signature: Uint8Array }): NoteSignature {
  formatDecimal("cosignature time", time);
  if (signature.length !== 64) throw new RangeError(`formatting a cosignature by ${key.name}: ${signature.length} bytes instead of 64`);
  const timed = new Uint8Array(8 + 64);
  new DataView(timed.buffer).setBigUint64(0, BigInt(time));
  timed.set(signature, 8);
  return { name: key.name, keyId: key.keyId, signature: timed };
}

/** @throws ParseError unless the value is 72 bytes with a time of at most 2^53 - 1 */
export function parseCosignature({ name, signature }: NoteSignature): { time: number; signature: Uint8Array } {
  if (signature.length !== 8 + 64) throw new ParseError(`cosignature by ${name} of 72 bytes`, `${signature.length} bytes`);
  const time = Number(new DataView(signature.buffer, signature.byteOffset).getBigUint64(0));
  if (!Number.isSafeInteger(time)) throw new ParseError(`cosignature by ${name} with a time of at most 2^53 - 1`, String(time));
  return { time, signature: signature.slice(8) };
}

/**
 * Verifies one cosignature of a checkpoint's text, and returns its time in seconds since 1970.
 *
 * @throws VerificationError
 */
export function verifyCosignature(check: { text: string; signature: NoteSignature; key: NoteKey; verify: Ed25519Verify }): number {
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
