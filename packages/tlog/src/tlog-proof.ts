import { ParseError } from "@quorate/protocol/parse-error";
import { formatBase64, parseBase64 } from "./base64.ts";
import { boundedText } from "./bounded-text.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { formatDecimal, parseDecimal } from "./decimal.ts";
import type { NoteVerify } from "./note-verify.ts";
import type { Hash } from "./hash.ts";
import { type Hasher, verifyInclusion } from "./merkle.ts";
import { maxNoteBytes } from "./note.ts";
import { formatHashLines, parseHashLines, parseProofText } from "./proof-text.ts";
import { type WitnessPolicy, type Witnessed, verifyCosignedCheckpoint } from "./tlog-policy.ts";

/** A proof that an entry is in a log. `noteText` is the cosigned checkpoint verbatim; `extra` is authenticated by nothing. */
export type TlogProof = {
  readonly extra?: Uint8Array;
  readonly index: number;
  readonly hashes: readonly Hash[];
  readonly noteText: string;
};

const header = "c2sp.org/tlog-proof@v1";
const maxExtraCharacters = 65_536;
const maxProofBytes = maxNoteBytes + maxExtraCharacters + 4000;

/**
 * A proof of inclusion (C2SP tlog-proof, "Format"): index, hashes from the leaf's sibling up, a blank line, a signed checkpoint.
 *
 *     c2sp.org/tlog-proof@v1
 *     extra YWdlLXYxLjIuMS1kYXJ3aW4tYXJtNjQudGFyLmd6
 *     index 73894
 *     gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=
 *
 *     example.com/fancylog
 *     109482
 *     sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=
 *
 *     — example.com/fancylog hI2DJw…
 *
 * @throws ParseError
 */
export function parseTlogProof(body: Uint8Array | string): TlogProof {
  const what = "tlog-proof";
  const { lines, noteText } = parseProofText(what, boundedText(what, body, maxProofBytes));
  const [first, ...rest] = lines;
  if (first !== header) throw new ParseError(`${what} (first line: ${header})`, first ?? "");
  const extra = rest[0]?.startsWith("extra ") ? { extra: parseExtra(rest.shift() ?? "") } : {};
  const index = rest.shift() ?? "";
  if (!index.startsWith("index ")) throw new ParseError(`${what} (a line: the index)`, index);
  return { ...extra, index: parseDecimal(`${what} index`, index.slice("index ".length)), hashes: parseHashLines(what, rest), noteText };
}

/** The inverse of `parseTlogProof`. */
export function formatTlogProof({ extra, index, hashes, noteText }: TlogProof): string {
  const extraLine = extra === undefined ? "" : `extra ${formatBase64(extra)}\n`;
  const proof = `${header}\n${extraLine}index ${formatDecimal("tlog-proof index", index)}\n${formatHashLines(hashes)}\n${noteText}`;
  parseTlogProof(proof);
  return proof;
}

/**
 * Verifies that the entry with this leaf hash is in a log of the policy, at `proof.index`, under a checkpoint with the policy's
 * quorum of witnesses.
 *
 * @throws ParseError for a checkpoint that is none
 * @throws VerificationError with the reason
 */
export function verifyTlogProof(claim: { proof: TlogProof; leaf: Hash; policy: WitnessPolicy; verify: NoteVerify; hasher?: Hasher }): {
  index: number;
  checkpoint: Checkpoint;
  witnesses: readonly Witnessed[];
} {
  const { proof, leaf, policy, verify, hasher } = claim;
  const { checkpoint, witnesses } = verifyCosignedCheckpoint(proof.noteText, policy, verify);
  const { index, hashes } = proof;
  verifyInclusion({ index, leaf, proof: hashes, size: checkpoint.size, root: checkpoint.root, ...(hasher && { hasher }) });
  return { index, checkpoint, witnesses };
}

function parseExtra(line: string): Uint8Array {
  const encoded = line.slice("extra ".length);
  if (encoded === "" || encoded.length > maxExtraCharacters) throw new ParseError("tlog-proof extra data", line);
  return parseBase64("tlog-proof extra data", encoded);
}
