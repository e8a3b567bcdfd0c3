import { ParseError } from "@quorate/protocol/parse-error";
import { type Checkpoint, parseCheckpoint } from "./checkpoint.ts";
import { type Hash, formatHash, parseHash } from "./hash.ts";
import { parseNote } from "./note.ts";

/** More than any proof in a tree of 2^63 entries has; also the limit of C2SP tlog-witness. */
const maxProofHashes = 63;

/** What both a tlog-proof and an add-checkpoint request consist of: lines, a blank line, and a checkpoint verbatim. */
export type ProofText = { readonly lines: readonly string[]; readonly noteText: string; readonly checkpoint: Checkpoint };

/** @throws ParseError naming `what` */
export function parseProofText(what: string, text: string): ProofText {
  const split = text.indexOf("\n\n");
  if (split === -1) throw new ParseError(`${what} (a blank line before the checkpoint)`, text);
  const noteText = text.slice(split + 2);
  return { lines: text.slice(0, split).split("\n"), noteText, checkpoint: parseCheckpoint(parseNote(noteText).text) };
}

/** @throws ParseError naming `what` */
export function parseHashLines(what: string, lines: readonly string[]): Hash[] {
  if (lines.length > maxProofHashes) throw new ParseError(`${what} of at most ${maxProofHashes} hashes`, `${lines.length} hashes`);
  return lines.map((line) => parseHash(`${what} hash`, line));
}

export function formatHashLines(hashes: readonly Hash[]): string {
  return hashes.map((hash) => `${formatHash(hash)}\n`).join("");
}
