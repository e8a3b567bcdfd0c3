import type { Checkpoint } from "@quorate/tlog/checkpoint";
import { formatCheckpoint, verifyCheckpoint } from "@quorate/tlog/checkpoint";
import { verifyNoteSignature } from "@quorate/signing/note-key";
import { formatNote, parseNote, signNote } from "@quorate/tlog/note";
import type { NoteKey, NoteSigner } from "@quorate/tlog/note";
import { cosignSubtree } from "@quorate/tlog/subtree-cosignature";

/** A checkpoint that this log has signed, and perhaps witnesses; `note` is its text with the signatures. */
export type SignedCheckpoint = { readonly checkpoint: Checkpoint; readonly note: string };

/** The log's Ed25519 key, and its ML-DSA-44 key if it has one; both have the log's name. */
export type LogSigners = { readonly signer: NoteSigner; readonly mlDsaSigner?: NoteSigner | undefined };

/** Signs a tree as the log's newest at `signedAt` (milliseconds since 1970). */
export function signCheckpoint(tree: Omit<Checkpoint, "origin">, { signer, mlDsaSigner }: LogSigners, signedAt: number): SignedCheckpoint {
  const checkpoint = { origin: signer.key.name, size: tree.size, root: tree.root };
  const text = formatCheckpoint(checkpoint);
  const note = signNote(text, [signer]);
  if (mlDsaSigner === undefined) return { checkpoint, note };
  const second = cosignSubtree({ tree: checkpoint, time: Math.floor(signedAt / 1000), signer: mlDsaSigner });
  return { checkpoint, note: formatNote(text, [...parseNote(note).signatures, second]) };
}

/**
 * @throws ParseError for what is no checkpoint
 * @throws VerificationError when `key` did not sign it
 */
export function verifySigned(note: string, key: NoteKey): SignedCheckpoint {
  return { checkpoint: verifyCheckpoint(note, key, verifyNoteSignature).checkpoint, note };
}
