import { ParseError } from "@quorate/protocol/parse-error";
import { hasControlCharacter } from "./control-character.ts";
import { formatDecimal, parseDecimal } from "./decimal.ts";
import { type Hash, equalHashes, formatHash, parseHash } from "./hash.ts";
import { emptyRoot } from "./merkle.ts";
import { type NoteKey, type SignedNote, type VerifiedNote, parseNote, verifyNote } from "./note.ts";
import type { NoteVerify } from "./note-verify.ts";
import { VerificationError } from "./verification-error.ts";

/** The state of a log: its identity, its number of entries and the root of its tree. */
export type Checkpoint = { readonly origin: string; readonly size: number; readonly root: Hash };

/** A checkpoint that its log signed, and the note that says so. */
export type VerifiedCheckpoint = { readonly checkpoint: Checkpoint; readonly note: VerifiedNote };

/**
 * The text of a checkpoint (C2SP tlog-checkpoint, "Note text"): origin, size, root hash.
 *
 *     example.com/behind-the-sofa
 *     20852163
 *     CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
 *
 * Extension lines are refused: no reader of a log could check them.
 *
 * @throws ParseError
 */
export function parseCheckpoint(text: string): Checkpoint {
  const lines = text.split("\n");
  const [origin, size, root, end] = lines;
  if (lines.length !== 4 || origin === undefined || size === undefined || root === undefined || end !== "") {
    throw new ParseError("checkpoint of exactly three lines", text);
  }
  return { origin: parseOrigin(origin), size: parseDecimal("checkpoint tree size", size), root: parseHash("checkpoint root hash", root) };
}

/** The inverse of `parseCheckpoint`. */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${parseOrigin(origin)}\n${formatDecimal("checkpoint tree size", size)}\n${formatHash(root)}\n`;
}

/**
 * A checkpoint signed by its log; signatures of others are neither needed nor looked at.
 *
 * @throws ParseError for what is no checkpoint
 * @throws VerificationError when the log's signature is missing or wrong, or the origin is not the key's name
 */
export function verifyCheckpoint(noteText: Uint8Array | string, logKey: NoteKey, verify: NoteVerify): VerifiedCheckpoint {
  return verifyCheckpointNote(parseNote(noteText), [logKey], verify);
}

/** As `verifyCheckpoint`, for any of several logs; a log may have several keys under one name. */
export function verifyCheckpointNote(note: SignedNote, logKeys: readonly NoteKey[], verify: NoteVerify): VerifiedCheckpoint {
  const checkpoint = parseCheckpoint(note.text);
  const keys = logKeys.filter((key) => key.name === checkpoint.origin);
  if (keys.length === 0) {
    const known = logKeys.map((key) => key.name).join(", ") || "none";
    throw new VerificationError(`verifying a checkpoint: its origin ${checkpoint.origin} is no known log (known: ${known})`);
  }
  const verified = verifyNote(note, keys, verify);
  if (checkpoint.size === 0 && !equalHashes(checkpoint.root, emptyRoot)) {
    throw new VerificationError(`verifying a checkpoint of ${checkpoint.origin}: size 0 with a root that is not the empty tree's`);
  }
  return { checkpoint, note: verified };
}

function parseOrigin(text: string): string {
  if (!/^[^\n]{1,255}$/u.test(text) || hasControlCharacter(text) || !text.isWellFormed()) throw new ParseError("checkpoint origin", text);
  return text;
}
