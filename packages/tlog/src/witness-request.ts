import { ParseError } from "@quorate/protocol/parse-error";
import { sha256Of } from "@quorate/protocol/digest";
import { utf8 } from "@quorate/protocol/utf8";
import { boundedText } from "./bounded-text.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { formatDecimal, parseDecimal } from "./decimal.ts";
import type { NoteVerify } from "./note-verify.ts";
import type { Hash } from "./hash.ts";
import { type NoteKey, type SignedNote, type VerifiedSignature, maxNoteBytes, parseSignatureLines, verifyNote } from "./note.ts";
import { formatHashLines, parseHashLines, parseProofText } from "./proof-text.ts";

/** A request for a cosignature. `noteText` is the signed checkpoint verbatim; `checkpoint` is what it says, not verified. */
export type AddCheckpointRequest = {
  readonly oldSize: number;
  readonly proof: readonly Hash[];
  readonly noteText: string;
  readonly checkpoint: Checkpoint;
};

/** Room for a note, the old size and 63 hashes. */
export const maxAddCheckpointBytes = maxNoteBytes + 3000;

/** Type of the body that names the size a witness has, in its 409 answer. */
export const treeSizeMediaType = "text/x.tlog.size";

/**
 * The body of `POST <prefix>/add-checkpoint` (C2SP tlog-witness): the old size, up to 63 hashes of the consistency proof, a blank
 * line, a signed checkpoint.
 *
 *     old 20852014
 *     PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
 *
 *     example.com/behind-the-sofa
 *     20852163
 *     CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
 *
 *     — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
 *
 * @throws ParseError also when the old size is above the checkpoint's, which the specification answers with 400 as well
 */
export function parseAddCheckpoint(body: Uint8Array | string): AddCheckpointRequest {
  const what = "add-checkpoint request";
  const { lines, noteText, checkpoint } = parseProofText(what, boundedText(what, body, maxAddCheckpointBytes));
  const [first = "", ...hashes] = lines;
  if (!first.startsWith("old ")) throw new ParseError(`${what} (first line: the old size)`, first);
  const oldSize = parseDecimal(`${what} old size`, first.slice("old ".length));
  if (oldSize > checkpoint.size) throw new ParseError(`${what} with an old size of at most ${checkpoint.size}`, String(oldSize));
  return { oldSize, proof: parseHashLines(what, hashes), noteText, checkpoint };
}

/** The inverse of `parseAddCheckpoint`. */
export function formatAddCheckpoint({ oldSize, proof, noteText }: Omit<AddCheckpointRequest, "checkpoint">): string {
  const body = `old ${formatDecimal("old size", oldSize)}\n${formatHashLines(proof)}\n${noteText}`;
  parseAddCheckpoint(body);
  return body;
}

/**
 * The cosignature in a witness's 200 answer, which is signature lines; those of other keys are ignored.
 *
 * @throws ParseError for what are no signature lines
 * @throws VerificationError when there is none by `key`, or a wrong one
 */
export function verifyWitnessAnswer(answer: { body: string; text: string; key: NoteKey; verify: NoteVerify }): VerifiedSignature {
  const lines = parseSignatureLines(boundedText("witness answer", answer.body, maxNoteBytes));
  const note: SignedNote = { text: answer.text, signatures: lines };
  const [first] = verifyNote(note, [answer.key], answer.verify).verified;
  if (first === undefined) throw new RangeError("verifying a witness's answer: a verified note without a signature");
  return first;
}

/**
 * The body of a 409 answer, `20852014\n`: the size of the checkpoint that the witness cosigned last.
 *
 * @throws ParseError
 */
export function parseTreeSize(body: string): number {
  if (!body.endsWith("\n")) throw new ParseError("tree size line", body);
  return parseDecimal("tree size line", body.slice(0, -1));
}

/** The inverse of `parseTreeSize`. */
export function formatTreeSize(size: number): string {
  return `${formatDecimal("tree size line", size)}\n`;
}

/** Where a witness shows the newest checkpoint of a log, below its prefix: `<SHA-256 of the origin, hexadecimal>/checkpoint`. */
export function witnessedCheckpointPath(origin: string): string {
  return `${sha256Of(utf8(origin))}/checkpoint`;
}
