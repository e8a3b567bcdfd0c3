import type { Checkpoint } from "@quorate/tlog/checkpoint";
import { formatCheckpoint, verifyCheckpoint } from "@quorate/tlog/checkpoint";
import { verifyEd25519 } from "@quorate/signing/note-key";
import { signNote } from "@quorate/tlog/note";
import type { NoteKey, NoteSigner } from "@quorate/tlog/note";

/** A checkpoint that this log has signed, and perhaps witnesses; `note` is its text with the signatures. */
export type SignedCheckpoint = { readonly checkpoint: Checkpoint; readonly note: string };

export function signCheckpoint(tree: Omit<Checkpoint, "origin">, signer: NoteSigner): SignedCheckpoint {
  const checkpoint = { origin: signer.key.name, size: tree.size, root: tree.root };
  return { checkpoint, note: signNote(formatCheckpoint(checkpoint), [signer]) };
}

/**
 * @throws ParseError for what is no checkpoint
 * @throws VerificationError when `key` did not sign it
 */
export function verifySigned(note: string, key: NoteKey): SignedCheckpoint {
  return { checkpoint: verifyCheckpoint(note, key, verifyEd25519).checkpoint, note };
}
