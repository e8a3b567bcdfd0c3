import { isHashedRekord } from "@quorate/attestation/hashed-rekord";
import { openLargeEnvelope, parseEntry } from "@quorate/attestation/log-statement";
import type { LogReader } from "@quorate/client/log-reader";
import type { Sha256 } from "@quorate/protocol/digest";
import { ParseError } from "@quorate/protocol/parse-error";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { verifyNoteSignature } from "@quorate/signing/note-key";
import type { Checkpoint } from "@quorate/tlog/checkpoint";
import { MerkleFrontier, verifyConsistency } from "@quorate/tlog/merkle";
import { consistencyProofFromTiles } from "@quorate/tlog/tile-proof";
import { type WitnessPolicy, verifyCosignedCheckpoint } from "@quorate/tlog/tlog-policy";
import { VerificationError } from "@quorate/tlog/verification-error";
import type { ReadModel } from "./read-model.ts";
import { saveStatement } from "./save-statement.ts";

export type Follower = {
  readonly reader: LogReader;
  readonly model: ReadModel;
  readonly witnessPolicy: WitnessPolicy;
  /** A blob, or undefined while it cannot be had. */
  readonly loadBlob: (sha256: Sha256) => Promise<Uint8Array | undefined>;
  readonly onUnreadable?: (index: number, error: Error) => void;
  readonly signal?: AbortSignal;
};

/** Entries that are held and saved together. */
const batchEntries = 2048;

/**
 * Reads what the log has had since it was last read, under its newest checkpoint, which must have the quorum of witnesses. Nothing is kept
 * of entries that do not lead to the checkpoint's root.
 *
 * @returns the size that was reached
 * @throws VerificationError when the log shows a checkpoint without its quorum, or entries of another tree
 */
export async function followLog(follower: Follower): Promise<number> {
  const { reader, model, witnessPolicy, signal } = follower;
  const { text } = await reader.checkpoint(signal);
  const { checkpoint } = verifyCosignedCheckpoint(text, witnessPolicy, verifyNoteSignature);
  const known = model.readTo();
  if (checkpoint.size < known.size) {
    throw new VerificationError(`following the log: it shows ${checkpoint.size} entries, and had ${known.size} before`);
  }
  const frontier = MerkleFrontier.restore({ size: known.size, peaks: known.peaks, hasher: nodeHasher });
  // Asked every second: a checkpoint that was read under before is not saved again.
  for (let isNew = text !== known.checkpoint; isNew || frontier.size < checkpoint.size; isNew = false) {
    const batch = await readBatch(follower, frontier, checkpoint.size);
    await verifyPrefix(follower, frontier, checkpoint);
    model.saveReadTo({ size: frontier.size, peaks: frontier.peaks, checkpoint: text }, () => {
      for (const { index, bytes } of batch) saveBytes(follower, index, bytes);
    });
  }
  await openLargeEnvelopes(follower);
  return checkpoint.size;
}

type Logged = { readonly index: number; readonly bytes: Uint8Array };

async function readBatch({ reader, signal }: Follower, frontier: MerkleFrontier, size: number): Promise<Logged[]> {
  const from = frontier.size;
  const batch: Logged[] = [];
  for await (const entry of reader.entries({ from, to: Math.min(from + batchEntries, size), size }, signal)) {
    frontier.append(nodeHasher.leaf(entry.bytes));
    batch.push(entry);
  }
  return batch;
}

/** The entries read so far are the beginning of the checkpoint's tree. */
async function verifyPrefix({ reader }: Follower, frontier: MerkleFrontier, { size, root }: Checkpoint): Promise<void> {
  const prefix = frontier.size;
  const proof = await consistencyProofFromTiles(prefix, { size, readTile: reader.tile, hasher: nodeHasher });
  verifyConsistency({ oldSize: prefix, newSize: size, oldRoot: frontier.root(), newRoot: root, proof, hasher: nodeHasher });
}

/** Records of signatures say nothing that their results do not. */
function saveBytes({ model, onUnreadable }: Follower, index: number, bytes: Uint8Array): void {
  if (isHashedRekord(bytes)) return;
  try {
    const { statement } = parseEntry(bytes, nodeHasher);
    if (statement.kind === "large-envelope") model.saveUnopened(index, statement.large);
    else saveStatement(model, index, statement);
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    onUnreadable?.(index, error);
  }
}

async function openLargeEnvelopes({ model, loadBlob, onUnreadable }: Follower): Promise<void> {
  for (const { index, large } of model.nextUnopened()) {
    const bytes = await loadBlob(large.envelope);
    if (bytes === undefined) continue;
    try {
      const { statement } = openLargeEnvelope(large, bytes);
      model.saveOpened(index, () => saveStatement(model, index, statement));
    } catch (error) {
      if (!(error instanceof ParseError || error instanceof VerificationError)) throw error;
      onUnreadable?.(index, error);
      // Its bytes are those of its digest: they will never say anything.
      if (error instanceof ParseError) model.saveOpened(index, () => {});
    }
  }
}
