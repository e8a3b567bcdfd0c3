import type { VerifySignature } from "@quorate/attestation/p256";
import { createLogReader, type LogReader } from "@quorate/client/log-reader";
import { type LogSource, logSourceOf } from "@quorate/client/log-source";
import { nodeHasher } from "@quorate/signing/node-hasher";
import type { Checkpoint } from "@quorate/tlog/checkpoint";
import { hashFrom } from "@quorate/tlog/hash";
import { verifyInclusion } from "@quorate/tlog/merkle";
import { inclusionProofFromTiles } from "@quorate/tlog/tile-proof";
import { VerificationError } from "@quorate/tlog/verification-error";
import { createReplay, type NextEntry, type Replay } from "@quorate/verdict/replay";
import { ReplayError } from "@quorate/verdict/replay-error";
import type { LoadBlob } from "@quorate/verdict/replay-verdict";
import { readTile } from "../read-tile.ts";
import { resume, verifyServed } from "../replay/replay-log.ts";
import { loadReplayState, saveReplayState } from "../replay/replay-state-file.ts";

type Followed = {
  readonly networkKey: Uint8Array;
  readonly loadBlob: LoadBlob;
  readonly verify: VerifySignature;
  /** File that remembers what was replayed: a start goes on from there. */
  readonly statePath: string;
};

/** Recomputes what a log says as it grows: each entry once. */
export class VerdictFollower {
  readonly #followed: Followed;
  readonly #reader: LogReader;
  readonly #source: LogSource;
  #replay: Replay | undefined;
  /** The size of the tree that is replayed, or was last. */
  #size = 0;
  #brokenRule: ReplayError | undefined;

  constructor(logUrl: string, followed: Followed) {
    this.#followed = followed;
    this.#reader = createLogReader({ url: logUrl, hasher: nodeHasher });
    this.#source = logSourceOf(logUrl);
  }

  /**
   * Replays the entries of a checkpoint's tree that were not replayed yet.
   *
   * @returns the first entry of the tree that breaks a rule, if one does: nothing after it is replayed
   * @throws VerificationError when the entries that are served are not those of the tree, or its beginning is not what was replayed before
   */
  async follow(checkpoint: Checkpoint, onEntry: (count: number) => void, signal: AbortSignal): Promise<ReplayError | undefined> {
    if (this.#brokenRule !== undefined) return this.#brokenRule;
    const { origin, size, root } = checkpoint;
    this.#size = size;
    const replay = this.#replay ?? (await this.#begin(checkpoint));
    // Whatever goes wrong leaves it in the middle of an entry: then it begins anew, from what was saved.
    this.#replay = undefined;
    const from = replay.size();
    if (from < size) {
      for await (const next of this.#reader.entries({ from, to: size, size }, signal)) {
        const brokenRule = await this.#add(replay, next, { checkpoint, signal });
        if (brokenRule !== undefined) return (this.#brokenRule = brokenRule);
        onEntry(next.index + 1);
      }
    }
    await verifyServed(replay, checkpoint);
    const { statePath, networkKey } = this.#followed;
    if (from < size) await saveReplayState(statePath, { reached: { origin, size, root }, snapshot: replay.snapshot() }, networkKey);
    this.#replay = replay;
    return undefined;
  }

  async #begin(checkpoint: Checkpoint): Promise<Replay> {
    const { networkKey, loadBlob, verify, statePath } = this.#followed;
    const loadEntry = async (index: number) => {
      for await (const { bytes } of this.#reader.entries({ from: index, to: index + 1, size: this.#size })) return bytes;
      throw new VerificationError(`replaying: entry ${index} is no longer served`);
    };
    const loadLeaves = (index: number) => this.#reader.hashes({ level: 0, index }, this.#size);
    const options = { networkKey, loadBlob, loadEntry, loadLeaves, verify, hasher: nodeHasher };
    const saved = await loadReplayState(statePath, { origin: checkpoint.origin, networkKey });
    return saved === undefined ? createReplay(options) : resume(saved, { reader: this.#reader, checkpoint, options });
  }

  async #add(replay: Replay, next: NextEntry, { checkpoint, signal }: { checkpoint: Checkpoint; signal: AbortSignal }) {
    try {
      await replay.add(next);
      return undefined;
    } catch (error) {
      if (!(error instanceof ReplayError)) throw error;
      await this.#verifyLogged(next, checkpoint, signal);
      return error;
    }
  }

  /** What a log serves by mistake is not what it signed. */
  async #verifyLogged({ index, bytes }: NextEntry, { size, root }: Checkpoint, signal: AbortSignal): Promise<void> {
    const tree = { size, hasher: nodeHasher, readTile: (path: string) => readTile(this.#source, path, signal) };
    const proof = await inclusionProofFromTiles(index, tree);
    verifyInclusion({ index, size, leaf: hashFrom(nodeHasher.leaf(bytes)), proof, root, hasher: nodeHasher });
  }
}
