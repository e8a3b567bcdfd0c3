import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ParseError } from "@quorate/protocol/parse-error";
import { formatCheckpoint, parseCheckpoint } from "@quorate/tlog/checkpoint";
import { parseHash } from "@quorate/tlog/hash";
import { formatEntryBundle, parseEntryBundle } from "@quorate/tlog/entry-bundle";
import {
  type SignedNote,
  formatNote,
  formatSignatureLines,
  formatVkey,
  parseNote,
  parseSignatureLines,
  parseVkey,
} from "@quorate/tlog/note";
import { formatTile, parseTile, parseTilePath, tilePath } from "@quorate/tlog/tile";
import { parseTlogPolicy, verifyCosignedCheckpoint } from "@quorate/tlog/tlog-policy";
import { formatTlogProof, parseTlogProof, verifyTlogProof } from "@quorate/tlog/tlog-proof";
import { VerificationError } from "@quorate/tlog/verification-error";
import { formatAddCheckpoint, formatTreeSize, parseAddCheckpoint, parseTreeSize, verifyWitnessAnswer } from "@quorate/tlog/witness-request";
import { type Format, inOneSpelling, looseText } from "./format.ts";

/** As if every signature were right, so that what comes after the signatures is reached; the vectors run with real ones beside the parsers. */
const verify = () => true;
const verified = [ParseError, VerificationError];
const known = JSON.parse(readFileSync(join(import.meta.dirname, "..", "vectors", "tlog", "tlog-proof.json"), "utf8"));
const policy = parseTlogPolicy(known.policy);
const leaf = parseHash("vector", known.leaf);
const [witness] = policy.witnesses;
if (witness === undefined) throw new Error("the vectors' policy names no witness");

export const tlogFormats: readonly Format[] = [
  { name: "verifier key", vectors: "tlog/verifier-key", parse: inOneSpelling(parseVkey, formatVkey) },
  {
    name: "note",
    vectors: "tlog/note",
    parse: inOneSpelling(parseNote, ({ text, signatures }: SignedNote) => formatNote(text, signatures)),
  },
  { name: "signature lines", vectors: "tlog/signature-lines", parse: inOneSpelling(parseSignatureLines, formatSignatureLines) },
  { name: "checkpoint", vectors: "tlog/checkpoint", parse: inOneSpelling(parseCheckpoint, formatCheckpoint) },
  {
    name: "cosigned checkpoint",
    vectors: "tlog/cosigned-checkpoint",
    parse: (input) => verifyCosignedCheckpoint(input, policy, verify),
    refusals: verified,
  },
  { name: "tile path", vectors: "tlog/tile-path", parse: inOneSpelling(parseTilePath, tilePath) },
  {
    name: "tile",
    vectors: "tlog/tile",
    encoding: "hex",
    parse: (input) => formatTile(parseTile({ level: 0, index: 0, width: 3 }, input)),
  },
  { name: "entry bundle", vectors: "tlog/entry-bundle", encoding: "hex", parse: (input) => formatEntryBundle(parseEntryBundle(input)) },
  { name: "add-checkpoint request", vectors: "tlog/add-checkpoint", parse: inOneSpelling(parseAddCheckpoint, formatAddCheckpoint) },
  {
    name: "witness's answer",
    vectors: "tlog/signature-lines",
    parse: (input) => verifyWitnessAnswer({ body: looseText(input), text: "a text\n", key: witness.key, verify }),
    refusals: verified,
  },
  { name: "tree size", vectors: "tlog/tree-size", parse: inOneSpelling(parseTreeSize, formatTreeSize) },
  { name: "tlog-policy", vectors: "tlog/tlog-policy", parse: (input) => parseTlogPolicy(looseText(input)) },
  { name: "tlog-proof", vectors: "tlog/tlog-proof", parse: inOneSpelling(parseTlogProof, formatTlogProof) },
  {
    name: "tlog-proof, verified",
    vectors: "tlog/tlog-proof",
    parse: (input) => verifyTlogProof({ proof: parseTlogProof(input), leaf, policy, verify }),
    refusals: verified,
  },
];
