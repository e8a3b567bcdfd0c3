import { concatBytes } from "@noble/hashes/utils.js";
import { ParseError } from "@quorate/protocol/parse-error";
import { utf8 } from "@quorate/protocol/utf8";
import { formatCosignature, parseCosignature } from "./cosignature.ts";
import { formatDecimal, parseDecimal } from "./decimal.ts";
import { type Hash, parseHash } from "./hash.ts";
import type { NoteKey, NoteSignature, NoteSigner } from "./note.ts";
import { type NoteVerify, mlDsa44SignatureBytes } from "./note-verify.ts";
import { VerificationError } from "./verification-error.ts";

/** The tree that a checkpoint's first three lines name. */
type SignedTree = { readonly origin: string; readonly size: number; readonly root: Hash };

const label = utf8("subtree/v1\n\0");

/**
 * What an ML-DSA-44 key signs, a log's as well as a witness's (C2SP tlog-cosignature, "ML-DSA-44 signed message"); extension lines of the
 * checkpoint are not part of it. `start` is 0: the subtree is the whole tree.
 *
 *     label "subtree/v1\n\0" ‖ length (1 byte) ‖ cosigner's name ‖ time (u64 BE) ‖ length (1 byte) ‖ origin ‖ start (u64 BE) ‖ size (u64 BE) ‖ root (32 bytes)
 *
 * @throws ParseError for a name or an origin that is empty or longer than 255 bytes
 */
export function subtreeMessage({ cosigner, time, tree }: { cosigner: string; time: number; tree: SignedTree }): Uint8Array {
  formatDecimal("cosignature time", time);
  return concatBytes(label, opaque(cosigner), u64(time), opaque(tree.origin), u64(0), u64(tree.size), tree.root);
}

/** A cosignature of `tree` at `time` (seconds since 1970) by a signer of type `ml-dsa-44`. */
export function cosignSubtree({ tree, time, signer }: { tree: SignedTree; time: number; signer: NoteSigner }): NoteSignature {
  const { key } = signer;
  if (key.algorithm !== "ml-dsa-44") throw new TypeError(`cosigning a tree: ${key.name} is a ${key.algorithm} key`);
  return formatCosignature({ key, time, signature: signer.sign(subtreeMessage({ cosigner: key.name, time, tree })) });
}

/**
 * Verifies an ML-DSA-44 cosignature of a checkpoint's text, and returns its time in seconds since 1970; 0 says nothing of when.
 *
 * @throws VerificationError, also when the text is no checkpoint
 */
export function verifySubtreeCosignature(check: { text: string; signature: NoteSignature; key: NoteKey; verify: NoteVerify }): number {
  const { key, verify } = check;
  const { time, signature, message } = signedOf(check);
  if (!verify(key.publicKey, message, signature)) {
    throw new VerificationError(`verifying a cosignature: the ML-DSA-44 signature by ${key.name} at ${time} is wrong`);
  }
  return time;
}

function signedOf(check: { text: string; signature: NoteSignature; key: NoteKey }) {
  try {
    const [origin = "", size = "", root = ""] = check.text.split("\n");
    const tree = { origin, size: parseDecimal("checkpoint tree size", size), root: parseHash("checkpoint root hash", root) };
    const { time, signature } = parseCosignature(check.signature, mlDsa44SignatureBytes);
    return { time, signature, message: subtreeMessage({ cosigner: check.key.name, time, tree }) };
  } catch (cause) {
    throw new VerificationError(
      `verifying a cosignature: the ML-DSA-44 signature by ${check.key.name} is malformed, or over no checkpoint`,
      {
        cause,
      },
    );
  }
}

/** `opaque<1..2^8-1>` of RFC 8446, section 3.4. */
function opaque(text: string): Uint8Array {
  const bytes = utf8(text);
  if (bytes.length < 1 || bytes.length > 255) throw new ParseError("name of 1 to 255 bytes", text);
  return Uint8Array.of(bytes.length, ...bytes);
}

function u64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}
