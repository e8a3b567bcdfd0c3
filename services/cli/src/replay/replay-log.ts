import type { VerifySignature } from "@quorate/attestation/p256";
import type { LogReader } from "@quorate/client/log-reader";
import type { PolicyRules } from "@quorate/protocol/policy";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { verifyNoteSignature } from "@quorate/signing/note-key";
import type { Checkpoint } from "@quorate/tlog/checkpoint";
import { type Hash, equalHashes } from "@quorate/tlog/hash";
import { verifyCosignedCheckpoint } from "@quorate/tlog/tlog-policy";
import { tileWidth } from "@quorate/tlog/tile";
import { VerificationError } from "@quorate/tlog/verification-error";
import { type Replay, type ReplayOptions, createReplay, resumeReplay } from "@quorate/verdict/replay";
import type { LoadBlob } from "@quorate/verdict/replay-verdict";
import { RecentTree } from "@quorate/verdict/recent-tree";
import type { TrustPolicy } from "@quorate/verdict/trust-policy";
import type { CommandContext } from "../context.ts";
import { createCountedProgress } from "../progress/counted.ts";
import { createEstimate } from "../progress/estimate.ts";
import { replayEntries } from "./replay-entries.ts";
import { type SavedReplay, loadReplayState, saveReplayState } from "./replay-state-file.ts";

/** How often a state is saved on the way: what is lost when the machine stops is replayed again. */
const saveMilliseconds = 30_000;

export type ReplayReport = ReturnType<Replay["report"]> & {
  /** Where it began: those before were replayed earlier. */
  readonly from: number;
  readonly witnesses: readonly string[];
};

type Given = {
  readonly reader: LogReader;
  readonly policy: TrustPolicy;
  readonly loadBlob: LoadBlob;
  /** Rules of the reader's own, to evaluate every round under too. */
  readonly ownRules: PolicyRules | undefined;
  readonly verify: VerifySignature;
  /** File that remembers what was replayed. */
  readonly statePath: string | undefined;
  readonly context: CommandContext;
};

/**
 * Replays a log up to its newest checkpoint, from where an earlier replay came to.
 *
 * @throws ReplayError, VerificationError when the log does not keep the rules, or is not the one that was replayed before
 */
export async function replayLog({ reader, policy, loadBlob, ownRules, verify, statePath, context }: Given): Promise<ReplayReport> {
  const { signal } = context;
  const { text } = await reader.checkpoint(signal);
  const { checkpoint, witnesses } = verifyCosignedCheckpoint(text, policy.witnessPolicy, verifyNoteSignature);
  const { origin, size } = checkpoint;
  const networkKey = policy.network.key;
  const options = optionsFor(reader, size, { networkKey, loadBlob, verify, ...(ownRules && { ownRules }) });
  const saved = statePath === undefined ? undefined : await loadReplayState(statePath, { origin, networkKey });
  const replay = saved ? await resume(saved, { reader, checkpoint, options }) : createReplay(options);
  const from = replay.size();
  const save = async (): Promise<void> => {
    if (statePath === undefined) return;
    const reached = { origin, size: replay.size(), root: await replay.rootAt(replay.size()) };
    await saveReplayState(statePath, { reached, snapshot: replay.snapshot() }, networkKey);
  };
  try {
    const onBundle = createSaving(save);
    await replayOnwards({ replay, reader, range: { from, to: size, size }, networkKey, onBundle, signal }, context);
  } catch (error) {
    if (signal.aborted) await save();
    throw error;
  }
  await verifyServed(replay, checkpoint);
  await save();
  return { ...replay.report(), from, witnesses: witnesses.map(({ name }) => name) };
}

/** @throws VerificationError when the entries that were replayed are not those of the checkpoint's tree */
export async function verifyServed(replay: Replay, { size, root }: Checkpoint): Promise<void> {
  if (equalHashes(await replay.rootAt(size), root)) return;
  throw new VerificationError(`replaying: the ${size} entries that are served do not have the checkpoint's root`);
}

function optionsFor(
  reader: LogReader,
  size: number,
  known: Pick<ReplayOptions, "networkKey" | "loadBlob" | "verify" | "ownRules">,
): ReplayOptions {
  return {
    ...known,
    loadEntry: (index) => reader.entry(index, size),
    loadLeaves: (index) => reader.hashes({ level: 0, index }, size),
    hasher: nodeHasher,
  };
}

type Resumed = { readonly reader: LogReader; readonly checkpoint: Checkpoint; readonly options: ReplayOptions };

/** @throws VerificationError when the log is no longer the one that was replayed */
export async function resume({ reached, snapshot }: SavedReplay, { reader, checkpoint, options }: Resumed): Promise<Replay> {
  const before = `the state that was saved is of its first ${reached.size} entries`;
  if (reached.size > checkpoint.size) {
    throw new VerificationError(`replaying: ${before}, and the checkpoint has ${checkpoint.size}: the log was rolled back`);
  }
  const tree = await readTree(reader, reached.size, { newest: checkpoint.size, options });
  if (!equalHashes(await tree.rootAt(reached.size), reached.root)) {
    throw new VerificationError(`replaying: ${before}, and they now have another root: the log has changed what it said`);
  }
  return resumeReplay(snapshot, tree, options);
}

/** The tree of the first `size` entries, from tiles of the newest tree: of a size in between a log keeps none. */
async function readTree(
  reader: LogReader,
  size: number,
  { newest, options }: { newest: number; options: ReplayOptions },
): Promise<RecentTree> {
  const tiles = Math.floor(size / tileWidth);
  const tileRoots: Hash[] = [];
  for (let index = 0; tileRoots.length < tiles; index += 1) tileRoots.push(...(await reader.hashes({ level: 1, index }, newest)));
  const leaves = size % tileWidth === 0 ? [] : await reader.hashes({ level: 0, index: tiles }, newest);
  const known = { tileRoots: tileRoots.slice(0, tiles), leaves: leaves.slice(0, size % tileWidth) };
  return RecentTree.restore({ hasher: nodeHasher, loadLeaves: options.loadLeaves, ...known });
}

async function replayOnwards(given: Parameters<typeof replayEntries>[0], { terminal }: CommandContext): Promise<void> {
  const { from, to } = given.range;
  const estimate = createEstimate(to, from);
  using progress = createCountedProgress(terminal, (count) => `replaying: ${estimate(count, performance.now())} entries`);
  progress.at(from);
  await replayEntries({ ...given, onEntry: (index) => progress.at(index + 1) });
}

/** Saves now and then; the more there is to save, the seldomer. */
function createSaving(save: () => Promise<void>): () => Promise<void> {
  let due = performance.now() + saveMilliseconds;
  return async () => {
    const now = performance.now();
    if (now < due) return;
    await save();
    due = performance.now() + Math.max(saveMilliseconds, 20 * (performance.now() - now));
  };
}
