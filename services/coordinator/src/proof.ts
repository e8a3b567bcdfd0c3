import { maxTraceLength } from "@quorate/attestation/build-trace";
import { parseEntry } from "@quorate/attestation/log-statement";
import type { LogReader } from "@quorate/client/log-reader";
import type { ArtifactView } from "@quorate/protocol/artifact-view";
import { parseSha256 } from "@quorate/protocol/digest";
import { textOf } from "@quorate/protocol/utf8";
import { traceDigestOf } from "@quorate/verdict/evidence";
import { formatProof, type Proof } from "@quorate/verdict/proof";
import type { BlobStore } from "./blob-store.ts";
import type { Database } from "./database.ts";
import { loadRoundEntries } from "./settle.ts";
import type { LoggedEntry } from "./store/entries.ts";
import { findRound } from "./store/rounds.ts";

/** The text of the proof file for an artifact: its newest verdict, all evidence of it, and where the log has each entry. */
export type LoadProof = (artifact: ArtifactView) => Promise<string>;

type Dependencies = { db: Database; blobs: BlobStore; reader: LogReader };

/** Proofs of the most asked for artifacts are kept: a settled round's evidence does not change. */
const cachedCharacters = 64 * 2 ** 20;

export function createProofLoader(dependencies: Dependencies): LoadProof {
  const cache = new Map<number, string>();
  let characters = 0;
  return async ({ round, verdictIndex }) => {
    const cached = cache.get(verdictIndex);
    if (cached !== undefined) return cached;
    const text = formatProof(await buildProof(dependencies, round));
    cache.set(verdictIndex, text);
    characters += text.length;
    for (const [index, old] of cache) {
      if (characters <= cachedCharacters) break;
      cache.delete(index);
      characters -= old.length;
    }
    return text;
  };
}

async function buildProof({ db, blobs, reader }: Dependencies, id: string): Promise<Proof> {
  const round = await findRound(db, id);
  if (!round) throw new Error(`building a proof: round ${id} is not in the database`);
  const entries = await loadRoundEntries(db, round);
  // The verdict's append waited for a checkpoint that covers it, and it is the last.
  const { checkpoint, text } = await reader.checkpoint();
  return {
    format: "https://quorate.dev/proof/v1",
    checkpoint: text,
    entries: await Promise.all(
      entries.map(async ({ index, envelope }) => ({
        index,
        envelope: textOf(envelope),
        inclusion: (await reader.inclusionProof(index, checkpoint.size)).map((hash) => Buffer.from(hash).toString("base64")),
      })),
    ),
    traces: await loadTraceTexts(blobs, entries),
  };
}

async function loadTraceTexts(blobs: BlobStore, entries: readonly LoggedEntry[]): Promise<Proof["traces"]> {
  const digests = entries.flatMap(({ kind, envelope }) => {
    if (kind !== "result") return [];
    const { statement } = parseEntry(envelope);
    return statement.kind === "result" ? (traceDigestOf(statement.result) ?? []) : [];
  });
  const texts = [...new Set(digests)].map(async (digest) => ({
    sha256: parseSha256(digest),
    text: textOf(await blobs.load(digest, 3 * maxTraceLength)),
  }));
  return Promise.all(texts);
}
