import type { Checkpoint } from "@quorate/tlog/checkpoint";
import type { NoteVerify } from "@quorate/tlog/note-verify";
import { equalHashes } from "@quorate/tlog/hash";
import { emptyRoot, verifyConsistency } from "@quorate/tlog/merkle";
import type { Hasher } from "@quorate/tlog/merkle";
import { parseNote, verifyNote } from "@quorate/tlog/note";
import type { NoteSignature } from "@quorate/tlog/note";
import { VerificationError } from "@quorate/tlog/verification-error";
import type { AddCheckpointRequest } from "@quorate/tlog/witness-request";
import type { KnownLogs } from "./known-logs.ts";
import type { WitnessedCheckpoint } from "./witness-store.ts";

/** What tlog-witness says to do with an add-checkpoint request that parses (one that does not is 400). */
export type CosignatureDecision =
  | { readonly kind: "cosign"; readonly checkpoint: Checkpoint; readonly text: string; readonly logSignatures: readonly NoteSignature[] }
  /** 404 */
  | { readonly kind: "unknown-origin"; readonly origin: string }
  /** 403 */
  | { readonly kind: "untrusted"; readonly reason: string }
  /** 409 */
  | { readonly kind: "other-old-size"; readonly size: number }
  /** 409, as the published specification says, without a size: the log signed two trees of one size. */
  | { readonly kind: "other-root"; readonly checkpoint: Checkpoint; readonly reason: string }
  /** 422 */
  | { readonly kind: "inconsistent"; readonly checkpoint: Checkpoint; readonly reason: string };

export type CosignatureQuestion = {
  readonly request: AddCheckpointRequest;
  readonly logs: KnownLogs;
  readonly stored: (origin: string) => WitnessedCheckpoint | undefined;
  readonly verify: NoteVerify;
  readonly hasher: Hasher;
};

/** Decides one add-checkpoint request (C2SP tlog-witness), in the specification's order of checks. */
export function decideCosignature({ request, logs, stored, verify, hasher }: CosignatureQuestion): CosignatureDecision {
  const { oldSize, proof, checkpoint } = request;
  const { origin, size, root } = checkpoint;
  const note = parseNote(request.noteText);
  const keys = logs.get(origin);
  if (keys === undefined) return { kind: "unknown-origin", origin };
  const signed = verified(() => verifyNote(note, keys, verify));
  if (signed instanceof VerificationError) return { kind: "untrusted", reason: signed.message };

  const last = stored(origin) ?? { size: 0, root: emptyRoot };
  if (oldSize !== last.size) return { kind: "other-old-size", size: last.size };
  if (size === 0 && !equalHashes(root, emptyRoot)) {
    return { kind: "inconsistent", checkpoint, reason: "size 0 with a root that is not the empty tree's" };
  }
  if (size === oldSize && !equalHashes(root, last.root)) {
    return { kind: "other-root", checkpoint, reason: `size ${size} was cosigned with another root` };
  }
  const consistent = verified(() => verifyConsistency({ oldSize, newSize: size, oldRoot: last.root, newRoot: root, proof, hasher }));
  if (consistent instanceof VerificationError) return { kind: "inconsistent", checkpoint, reason: consistent.message };
  return { kind: "cosign", checkpoint, text: note.text, logSignatures: signed.verified.map(({ signature }) => signature) };
}

function verified<Value>(verify: () => Value): Value | VerificationError {
  try {
    return verify();
  } catch (error) {
    if (error instanceof VerificationError) return error;
    throw error;
  }
}
