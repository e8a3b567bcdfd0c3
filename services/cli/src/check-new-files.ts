import { checkLog, type LogCheck } from "@quorate/client/check-log";
import { type LogSource, partialWidthsOf } from "@quorate/client/log-source";
import { nodeHasher } from "@quorate/signing/node-hasher";
import type { Checkpoint } from "@quorate/tlog/checkpoint";
import { type CheckState, saveCheckState } from "./check-state.ts";

/** Hashes what a log has added since `state`, missing partial tiles included, and remembers in `statePath` what was found whole. */
export async function checkNewFiles(options: {
  url: string;
  source: LogSource;
  checkpoint: Checkpoint;
  state: CheckState | undefined;
  statePath: string | undefined;
  onProgress?: (entries: number) => void;
  signal: AbortSignal;
}): Promise<LogCheck> {
  const { url, source, checkpoint, state, statePath, onProgress, signal } = options;
  const check = await checkLog({
    source,
    checkpoint,
    hasher: nodeHasher,
    checked: state,
    published: state?.published,
    partialWidths: partialWidthsOf(url),
    onProgress,
    signal,
  });
  if (check.problemCount === 0 && statePath !== undefined) {
    await saveCheckState(statePath, { ...checkpoint, published: state?.published ?? [] });
  }
  return check;
}
