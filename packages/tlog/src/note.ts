import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes } from "@noble/hashes/utils.js";
import { ParseError } from "@quorate/protocol/parse-error";
import { unreachable } from "@quorate/protocol/unreachable";
import { utf8 } from "@quorate/protocol/utf8";
import { formatBase64, parseBase64 } from "./base64.ts";
import { boundedText } from "./bounded-text.ts";
import { verifyCosignature } from "./cosignature.ts";
import { hasControlCharacter } from "./control-character.ts";
import { type NoteVerify, mlDsa44PublicKeyBytes } from "./note-verify.ts";
import { verifySubtreeCosignature } from "./subtree-cosignature.ts";
import { VerificationError } from "./verification-error.ts";

/**
 * `ed25519` (type 0x01) signs the note's text; `cosignature` (0x04) signs it with a time, for witnesses; `ml-dsa-44` (0x06) signs the tree of a
 * checkpoint with a time, for logs and witnesses.
 */
export type NoteAlgorithm = "ed25519" | "cosignature" | "ml-dsa-44";

/** A public key that signs notes, as a verifier key names it. `keyId` is an unsigned 32-bit number. */
export type NoteKey = {
  readonly name: string;
  readonly keyId: number;
  readonly algorithm: NoteAlgorithm;
  readonly publicKey: Uint8Array;
};

/** One signature line. `signature` is what follows the key ID: 64 bytes for Ed25519, 8 + 64 for a cosignature, 8 + 2,420 for ML-DSA-44. */
export type NoteSignature = { readonly name: string; readonly keyId: number; readonly signature: Uint8Array };

/** A note as parsed: nothing in it is verified. `text` ends in a newline. */
export type SignedNote = { readonly text: string; readonly signatures: readonly NoteSignature[] };

/** A signature that was verified; `time` (seconds since 1970) where the algorithm signs one. */
export type VerifiedSignature = { readonly key: NoteKey; readonly signature: NoteSignature; readonly time?: number };

/** A note that at least one known key signed; `others` are the signatures of unknown keys. */
export type VerifiedNote = {
  readonly text: string;
  readonly verified: readonly VerifiedSignature[];
  readonly others: readonly NoteSignature[];
};

/** Signs bytes with the private half of `key`. */
export type NoteSigner = { readonly key: NoteKey; readonly sign: (message: Uint8Array) => Uint8Array };

/** Room for 16 post-quantum signatures, and a bound on the work that a stranger can ask for. */
export const maxNoteBytes = 262_144;
export const maxNoteSignatures = 64;

/** By the first byte of a key. */
export const noteAlgorithmByType: ReadonlyMap<number, NoteAlgorithm> = new Map([
  [0x01, "ed25519"],
  [0x04, "cosignature"],
  [0x06, "ml-dsa-44"],
]);
export const noteTypeOf: Readonly<Record<NoteAlgorithm, number>> = { ed25519: 0x01, cosignature: 0x04, "ml-dsa-44": 0x06 };
const publicKeyBytes: Readonly<Record<NoteAlgorithm, number>> = { ed25519: 32, cosignature: 32, "ml-dsa-44": mlDsa44PublicKeyBytes };

/**
 * A verifier key, `<name>+<key ID as 8 hexadecimal digits>+<base64(type ‖ public key)>`:
 *
 *     PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW
 *
 * C2SP signed-note, "Verifier keys". The key ID must be the one that the name and the key give.
 *
 * @throws ParseError
 */
export function parseVkey(text: string): NoteKey {
  // Base64 may hold a plus sign too, a name may not: the first two plus signs split.
  const [, name, id, encoded] = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]{1,1800})$/u.exec(text) ?? [];
  if (name === undefined || id === undefined || encoded === undefined) throw new ParseError("verifier key", text);
  const bytes = parseBase64("verifier key", encoded);
  const algorithm = noteAlgorithmByType.get(bytes[0] ?? 0);
  if (algorithm === undefined) throw new ParseError("verifier key of a supported type (Ed25519, Ed25519 cosignature or ML-DSA-44)", text);
  const length = publicKeyBytes[algorithm];
  if (bytes.length !== 1 + length) throw new ParseError(`verifier key with a public key of ${length} bytes`, text);
  const key = noteKeyOf({ name: parseKeyName(name), algorithm, publicKey: bytes.subarray(1) });
  if (formatKeyId(key.keyId) !== id) throw new ParseError(`verifier key whose key ID is ${formatKeyId(key.keyId)}`, text);
  return key;
}

/** The inverse of `parseVkey`. */
export function formatVkey(key: NoteKey): string {
  return `${key.name}+${formatKeyId(key.keyId)}+${formatBase64(typedKey(key))}`;
}

/** A key with its ID: the first four bytes of SHA-256(name ‖ 0x0A ‖ type ‖ public key). */
export function noteKeyOf(key: Omit<NoteKey, "keyId">): NoteKey {
  const digest = sha256(concatBytes(utf8(`${parseKeyName(key.name)}\n`), typedKey(key)));
  return { ...key, keyId: new DataView(digest.buffer, digest.byteOffset).getUint32(0) };
}

/** @throws ParseError for an empty name, or one with a Unicode space, a plus sign or a control character */
export function parseKeyName(text: string): string {
  if (!/^[^\p{White_Space}+]{1,255}$/u.test(text) || hasControlCharacter(text) || !text.isWellFormed())
    throw new ParseError("key name", text);
  return text;
}

/**
 * A signed note (C2SP signed-note, "Format"): a text that ends in a newline, a blank line, and signature lines.
 *
 *     example.com/behind-the-sofa
 *     20852163
 *     CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
 *
 *     — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
 *
 * The text may hold blank lines: the last one in the note splits.
 *
 * @throws ParseError
 */
export function parseNote(note: Uint8Array | string): SignedNote {
  const whole = noteTextOf(note);
  const split = whole.lastIndexOf("\n\n");
  if (split === -1) throw new ParseError("note (a blank line before the signatures)", whole);
  const lines = whole.slice(split + 2);
  return { text: whole.slice(0, split + 1), signatures: parseSignatureLines(lines) };
}

/** @throws ParseError unless text and signatures make a note that parses back */
export function formatNote(text: string, signatures: readonly NoteSignature[]): string {
  const note = `${text}\n${formatSignatureLines(signatures)}`;
  if (parseNote(note).text !== text) throw new ParseError("note text (ends in one newline)", text);
  return note;
}

/**
 * One or more signature lines, each with its newline, as a witness answers: `— <name> <base64(key ID ‖ signature)>`.
 *
 * @throws ParseError
 */
export function parseSignatureLines(text: string): NoteSignature[] {
  if (!text.endsWith("\n")) throw new ParseError("note signatures (each line ends in a newline)", text);
  const lines = text.slice(0, -1).split("\n");
  if (lines.length > maxNoteSignatures)
    throw new ParseError(`note of at most ${maxNoteSignatures} signatures`, `${lines.length} signatures`);
  return lines.map(parseSignatureLine);
}

export function formatSignatureLines(signatures: readonly NoteSignature[]): string {
  return signatures.map(formatSignatureLine).join("");
}

/**
 * Verifies every signature by one of `keys`; signatures by others are ignored and returned apart.
 *
 * @throws VerificationError when a known key's signature is wrong, or no known key signed
 */
export function verifyNote(note: SignedNote, keys: readonly NoteKey[], verify: NoteVerify): VerifiedNote {
  const verified = verifyKnownSignatures(note, keys, verify);
  if (verified.verified.length === 0) {
    const wanted = keys.map((key) => key.name).join(", ") || "no key";
    throw new VerificationError(`verifying a note: no signature by a known key (known: ${wanted})`);
  }
  return verified;
}

/**
 * As `verifyNote`, but with no known signature `verified` is empty: for a caller that counts them.
 *
 * @throws VerificationError when a known key's signature is wrong
 */
export function verifyKnownSignatures(note: SignedNote, keys: readonly NoteKey[], verify: NoteVerify): VerifiedNote {
  const verified: VerifiedSignature[] = [];
  const others: NoteSignature[] = [];
  for (const signature of note.signatures) {
    const key = keys.find((known) => known.name === signature.name && known.keyId === signature.keyId);
    if (key === undefined) others.push(signature);
    else verified.push(verifySignature({ text: note.text, signature, key, verify }));
  }
  return { text: note.text, verified, others };
}

/** Signs `text` with each signer of type `ed25519`; the others sign through `cosign` and `cosignSubtree`, since they need a time. */
export function signNote(text: string, signers: readonly NoteSigner[]): string {
  const message = utf8(text);
  const signatures = signers.map(({ key, sign }) => {
    if (key.algorithm !== "ed25519") throw new TypeError(`signing a note: ${key.name} is a ${key.algorithm} key`);
    return { name: key.name, keyId: key.keyId, signature: sign(message) };
  });
  return formatNote(text, signatures);
}

type SignatureCheck = { text: string; signature: NoteSignature; key: NoteKey; verify: NoteVerify };

function verifySignature({ text, signature, key, verify }: SignatureCheck): VerifiedSignature {
  switch (key.algorithm) {
    case "ed25519": {
      if (!verify(key.publicKey, utf8(text), signature.signature)) {
        throw new VerificationError(`verifying a note: the signature by ${key.name} (${formatKeyId(key.keyId)}) is wrong`);
      }
      return { key, signature };
    }
    case "cosignature":
      return { key, signature, time: verifyCosignature({ text, signature, key, verify }) };
    case "ml-dsa-44":
      return { key, signature, time: verifySubtreeCosignature({ text, signature, key, verify }) };
    default:
      return unreachable(key.algorithm);
  }
}

function noteTextOf(note: Uint8Array | string): string {
  const text = boundedText("note", note, maxNoteBytes);
  if (hasControlCharacter(text)) throw new ParseError("note (no control characters)", text);
  return text;
}

function parseSignatureLine(line: string): NoteSignature {
  const [, name, encoded] = /^— ([^ ]+) ([A-Za-z0-9+/=]+)$/u.exec(line) ?? [];
  if (name === undefined || encoded === undefined) throw new ParseError("note signature line", line);
  const bytes = parseBase64("note signature line", encoded);
  if (bytes.length < 5) throw new ParseError("note signature line (a key ID and a signature)", line);
  const keyId = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  return { name: parseKeyName(name), keyId, signature: bytes.slice(4) };
}

function formatSignatureLine({ name, keyId, signature }: NoteSignature): string {
  const bytes = new Uint8Array(4 + signature.length);
  new DataView(bytes.buffer).setUint32(0, keyId);
  bytes.set(signature, 4);
  return `— ${parseKeyName(name)} ${formatBase64(bytes)}\n`;
}

function formatKeyId(keyId: number): string {
  return keyId.toString(16).padStart(8, "0");
}

function typedKey(key: Omit<NoteKey, "keyId">): Uint8Array {
  return concatBytes(Uint8Array.of(noteTypeOf[key.algorithm]), key.publicKey);
}
