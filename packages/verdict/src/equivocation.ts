import { parseJsonBytes } from "@quorate/attestation/json-text";
import { parseNoun } from "@quorate/attestation/parse-noun";
import { formatCanonicalJson } from "@quorate/protocol/canonical-json";
import { ParseError } from "@quorate/protocol/parse-error";
import { type Checkpoint, verifyCheckpoint } from "@quorate/tlog/checkpoint";
import type { NoteVerify } from "@quorate/tlog/note-verify";
import { type Hash, equalHashes, formatHash, parseHash } from "@quorate/tlog/hash";
import { verifyConsistency } from "@quorate/tlog/merkle";
import { type NoteKey, maxNoteBytes } from "@quorate/tlog/note";
import { VerificationError } from "@quorate/tlog/verification-error";
import { z } from "zod";

/**
 * Evidence that a log signed two histories. Of two notes of one size the roots differ. Of two sizes, `prefix` says what root the larger tree
 * has at the smaller size, with the consistency proof that shows it: another one than the smaller note's.
 */
export type Equivocation = {
  /** Signed checkpoints verbatim, the smaller first. */
  readonly notes: readonly [string, string];
  readonly prefix?: { readonly root: Hash; readonly proof: readonly Hash[] };
};

export const equivocationFormat = "https://quorate.dev/equivocation/v1";

/** Two notes, 64 hashes, and what JSON escapes in them. */
const maxEquivocationBytes = 3 * maxNoteBytes;
const hashText = z.string().length(44);

const equivocationSchema = z.strictObject({
  format: z.literal(equivocationFormat),
  notes: z.tuple([z.string().max(maxNoteBytes), z.string().max(maxNoteBytes)]),
  prefix: z.strictObject({ root: hashText, proof: z.array(hashText).max(63) }).optional(),
});

/**
 * The file of an equivocation: canonical JSON and a newline.
 *
 *     {"format":"https://quorate.dev/equivocation/v1","notes":["log.example\n5\n…","log.example\n9\n…"],
 *      "prefix":{"proof":["…"],"root":"CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="}}
 *
 * @throws ParseError also for other spellings
 */
export function parseEquivocation(bytes: Uint8Array): Equivocation {
  const what = "equivocation file";
  const { text, value } = parseJsonBytes(what, bytes, maxEquivocationBytes);
  const { notes, prefix } = parseNoun(equivocationSchema, what, value);
  const [first, second] = notes;
  const hash = (encoded: string): Hash => parseHash(`hash of an ${what}`, encoded);
  const parsed: Equivocation = {
    notes: [first, second],
    ...(prefix && { prefix: { root: hash(prefix.root), proof: prefix.proof.map(hash) } }),
  };
  if (formatEquivocation(parsed) !== text) throw new ParseError(`${what} in canonical JSON`, text);
  return parsed;
}

/** The inverse of `parseEquivocation`. */
export function formatEquivocation({ notes, prefix }: Equivocation): string {
  const spelled = prefix && { root: formatHash(prefix.root), proof: prefix.proof.map(formatHash) };
  return `${formatCanonicalJson({ format: equivocationFormat, notes, prefix: spelled })}\n`;
}

/**
 * Verifies that both notes bear the log's signature, and that no one log can have both trees.
 *
 * @returns the two checkpoints
 * @throws ParseError for notes that are no checkpoints
 * @throws VerificationError when a signature is missing or wrong, or the two do not contradict each other
 */
export function verifyEquivocation(evidence: Equivocation, logKey: NoteKey, verify: NoteVerify): readonly [Checkpoint, Checkpoint] {
  const { notes, prefix } = evidence;
  const smaller = verifyCheckpoint(notes[0], logKey, verify).checkpoint;
  const larger = verifyCheckpoint(notes[1], logKey, verify).checkpoint;
  const what = `verifying an equivocation of ${logKey.name}`;
  if (smaller.size > larger.size) throw new VerificationError(`${what}: the larger checkpoint comes first`);
  if (prefix === undefined) {
    if (smaller.size !== larger.size) throw new VerificationError(`${what}: two sizes, and no proof that the trees differ`);
    if (equalHashes(smaller.root, larger.root)) throw new VerificationError(`${what}: both notes say the same`);
    return [smaller, larger];
  }
  const { root, proof } = prefix;
  verifyConsistency({ oldSize: smaller.size, newSize: larger.size, oldRoot: root, newRoot: larger.root, proof });
  if (equalHashes(root, smaller.root)) throw new VerificationError(`${what}: the larger tree extends the smaller one`);
  return [smaller, larger];
}
