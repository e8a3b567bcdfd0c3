import { checkLog, type LogCheck } from "@quorate/client/check-log";
import { type LogSource, partialWidthsOf } from "@quorate/client/log-source";
import { provePrefix } from "@quorate/client/prove-prefix";
import { readTile as readStoredTile, tileOfPath } from "@quorate/service/stored-tile";
import { nodeHasher } from "@quorate/signing/node-hasher";
import type { Checkpoint } from "@quorate/tlog/checkpoint";
import { tileAt } from "@quorate/tlog/tile";
import { type CheckState, saveCheckState } from "./check-state.ts";
import { isLogError } from "./is-log-error.ts";
import { readTile } from "./read-tile.ts";

export type NewFiles = {
  readonly url: string;
  readonly source: LogSource;
  readonly checkpoint: Checkpoint;
  readonly state: CheckState | undefined;
  readonly statePath: string | undefined;
  readonly onProgress?: (entries: number) => void;
  readonly signal: AbortSignal;
  /** How many entries are checked before what was found whole is remembered: a second's work or two. */
  readonly stepEntries?: number;
};

/**
 * Hashes what a log has added since `state`, missing partial tiles included. What was found whole is remembered in `statePath`, on the way too:
 * a check that was interrupted is gone on with.
 */
export async function checkNewFiles(files: NewFiles): Promise<LogCheck> {
  const { url, source, checkpoint, state, statePath, onProgress, signal } = files;
  const before = statePath === undefined ? { state, entries: 0, files: 0 } : await checkSteps(files, statePath);
  const last = await checkLog({
    source,
    checkpoint,
    hasher: nodeHasher,
    checked: before.state,
    published: state?.published,
    partialWidths: partialWidthsOf(url),
    onProgress: (entries) => onProgress?.(before.entries + entries),
    signal,
  });
  if (last.problemCount === 0 && statePath !== undefined) {
    await saveCheckState(statePath, { ...checkpoint, published: [...(state?.published ?? []), checkpoint.size] });
  }
  return { ...last, entries: before.entries + last.entries, files: before.files + last.files };
}

type Steps = { state: CheckState | undefined; entries: number; files: number };

/** Checks one beginning of the tree after the other, until what is left is a step or less, or something is wrong: that is for the last check to say. */
async function checkSteps(
  { source, checkpoint, state, stepEntries = 2 ** 18, onProgress, signal }: NewFiles,
  statePath: string,
): Promise<Steps> {
  let done: Steps = { state, entries: 0, files: 0 };
  for (let size = (state?.size ?? 0) + stepEntries; size < checkpoint.size; size += stepEntries) {
    const root = await rootOfPrefix(size, checkpoint, { source, signal });
    if (root === undefined) return done;
    const prefix = { ...checkpoint, size, root };
    const { entries: before } = done;
    const check = await checkLog({
      source: prefixSource(source, checkpoint.size),
      checkpoint: prefix,
      hasher: nodeHasher,
      checked: done.state,
      onProgress: (entries) => onProgress?.(before + entries),
      signal,
    });
    if (check.problemCount > 0) return done;
    // No checkpoint of this size was seen: its partial tiles need not be there.
    const whole = { ...prefix, published: state?.published ?? [] };
    await saveCheckState(statePath, whole);
    done = { state: whole, entries: before + check.entries, files: done.files + check.files };
  }
  return done;
}

async function rootOfPrefix(size: number, checkpoint: Checkpoint, { source, signal }: Pick<NewFiles, "source" | "signal">) {
  try {
    const tiles = { readTile: (path: string) => readTile(source, path, signal), hasher: nodeHasher };
    return (await provePrefix(size, checkpoint, tiles)).root;
  } catch (error) {
    signal.throwIfAborted();
    if (!isLogError(error)) throw error;
    return undefined;
  }
}

/** The tiles of a smaller tree, cut from those that the log has. */
function prefixSource(source: LogSource, size: number): LogSource {
  return async (path, options) => {
    const tile = tileOfPath(path);
    if (tile === undefined) return source(path, options);
    return readStoredTile({ read: (kept) => source(kept, options) }, tile, tileAt(tile.level, tile.index, size)?.width);
  };
}
