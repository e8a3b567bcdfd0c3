import { ParseError } from "@quorate/protocol/parse-error";
import { hasControlCharacter } from "./control-character.ts";
import { formatDecimal, parseDecimal } from "./decimal.ts";
import type { Ed25519Verify } from "./ed25519.ts";
import { type Hash, equalHashes, formatHash, parseHash } from "./hash.ts";
import { emptyRoot } from "./merkle.ts";
import { type NoteKey, type VerifiedNote, parseNote, verifyNote } from "./note.ts";
import { VerificationError } from "./verification-error.ts";

/** The state of a log: its identity, its number of entries and the root of its tree. */
export type Checkpoint = { readonly origin: string; readonly size: number; readonly root: Hash };

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
export function verifyCheckpoint(
  noteText: Uint8Array | string,
  logKey: NoteKey,
  verify?: Ed25519Verify,
): { checkpoint: Checkpoint; note: VerifiedNote } {
  const note = verifyNote(parseNote(noteText), [logKey], verify);
  const checkpoint = parseCheckpoint(note.text);
  if (checkpoint.origin !== logKey.name) {
    throw new VerificationError(`verifying a checkpoint: its origin is ${checkpoint.origin}, not ${logKey.name}`);
  }
  if (checkpoint.size === 0 && !equalHashes(checkpoint.root, emptyRoot)) {
    throw new VerificationError(`verifying a checkpoint of ${logKey.name}: size 0 with a root that is not the empty tree's`);
  }
  return { checkpoint, note };
}

function parseOrigin(text: string): string {
  if (!/^[^\n]{1,255}$/u.test(text) || hasControlCharacter(text) || !text.isWellFormed()) throw new ParseError("checkpoint origin", text);
  return text;
}
