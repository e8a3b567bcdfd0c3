import { formatEnvelope } from "@quorate/attestation/dsse";
import { parseStatement } from "@quorate/attestation/log-statement";
import { digestOf } from "@quorate/attestation/nouns.fixture";
import { ParseError } from "@quorate/protocol/parse-error";
import { VerificationError } from "@quorate/tlog/verification-error";
import { TestNetwork } from "@quorate/verdict/network.fixture";
import { formatProof, parseProof } from "@quorate/verdict/proof";
import { type LoadBlob } from "@quorate/verdict/replay-verdict";
import { createReplay } from "@quorate/verdict/replay";
import { ReplayError } from "@quorate/verdict/replay-error";
import { formatSnapshot, parseSnapshot } from "@quorate/verdict/snapshot";
import { formatSnapshotArtifact, parseSnapshotArtifact } from "@quorate/verdict/snapshot-artifact";
import { formatTrustPolicy, parseTlogLines, parseTrustPolicy } from "@quorate/verdict/trust-policy";
import { verifyProof } from "@quorate/verdict/verify-proof";
import { type Format, inOneSpelling } from "./format.ts";

const network = new TestNetwork();
network.rebuild();
const policy = network.trustPolicy();
const loadBlob: LoadBlob = async (sha256) => network.blobs.get(sha256);

/** As if every signature were right: a liar may hold every key but the reader's own. */
const verify = () => true;
const claim = { policy, artifactSha256: digestOf("reference"), verify, verifyNoteSignature: verify };

export const verdictFormats: readonly Format[] = [
  { name: "proof file", vectors: "verdict/proof-file", parse: (input) => parseProof(formatProof(parseProof(input))) },
  {
    name: "proof file, verified",
    vectors: "verdict/proof-file",
    parse: (input) => verifyProof({ ...claim, proof: parseProof(input) }),
    refusals: [ParseError, VerificationError],
  },
  { name: "snapshot", vectors: "verdict/snapshot", parse: (input) => parseSnapshot(formatSnapshot(parseSnapshot(input))) },
  {
    name: "snapshot's artifact",
    vectors: "verdict/snapshot-artifact",
    parse: inOneSpelling(parseSnapshotArtifact, formatSnapshotArtifact),
  },
  {
    name: "trust policy",
    vectors: "verdict/trust-policy",
    parse: (input) => {
      parseTlogLines(input);
      parseTrustPolicy(formatTrustPolicy(parseTrustPolicy(input)));
    },
  },
  {
    name: "statement in a log, replayed",
    vectors: "verdict/logged-statement",
    parse: async (input) => {
      const { entries } = networkWith(input);
      const loadEntry = async (index: number) => entries[index] ?? new Uint8Array(0);
      const replay = createReplay({ networkKey: network.networkKey.spki, loadBlob, loadEntry, loadLeaves: async () => [], verify });
      for (const [index, bytes] of entries.entries()) await replay.add({ index, bytes });
    },
    refusals: [ParseError, ReplayError],
  },
  {
    name: "statement in a log, proven",
    vectors: "verdict/logged-statement",
    parse: (input) => verifyProof({ ...claim, proof: networkWith(input).proof() }),
    refusals: [ParseError, VerificationError],
  },
];

/** The network's log with another statement in the place of its first of this kind. */
function networkWith(payload: Uint8Array): TestNetwork {
  const { kind } = parseStatement(payload);
  const replaced = network.logged().find(({ entry }) => entry.statement.kind === kind);
  const other = new TestNetwork();
  for (const [sha256, bytes] of network.blobs) other.blobs.set(sha256, bytes);
  for (const { index, entry } of network.logged()) {
    other.appendBytes(index === replaced?.index ? formatEnvelope({ ...entry.envelope, payload }) : formatEnvelope(entry.envelope));
  }
  return other;
}
