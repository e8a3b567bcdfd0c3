import { parseEntry } from "@quorate/attestation/log-statement";
import type { LogReader } from "@quorate/client/log-reader";
import type { ArtifactView } from "@quorate/protocol/artifact-view";
import { textOf } from "@quorate/protocol/utf8";
import { formatHash } from "@quorate/tlog/hash";
import { formatProof, type Proof, proofFormat } from "@quorate/verdict/proof";
import type { BlobStore } from "./blob-store.ts";
import type { Database } from "./database.ts";
import { loadLargeEnvelope } from "./large-envelope.ts";
import { loadRoundEntries, loadTraces, loadVerifiedEntries } from "./settle.ts";
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
  const traces = await loadTraces(blobs, await loadVerifiedEntries(blobs, entries));
  // The verdict's append waited for a checkpoint that covers it, and it is the last.
  const { checkpoint, text } = await reader.checkpoint();
  return {
    format: proofFormat,
    checkpoint: text,
    entries: await Promise.all(
      entries.map(async ({ index, envelope }) => {
        const large = await loadLargeEnvelope(parseEntry(envelope), blobs);
        return {
          index,
          envelope: textOf(envelope),
          inclusion: (await reader.inclusionProof(index, checkpoint.size)).map(formatHash),
          ...(large && { large: textOf(large) }),
        };
      }),
    ),
    traces: [...traces].map(([sha256, bytes]) => ({ sha256, text: textOf(bytes) })),
  };
}
