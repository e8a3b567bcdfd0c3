import type { JobPhase, LiveMessage } from "@quorate/protocol/job";
import { plainLine } from "./plain-line.ts";

/** Tells the coordinator how a job goes on. Best effort: what is too much is left out, and said to be. */
export type LiveRelay = Disposable & {
  progress(progress: { phase: JobPhase; activity?: string; logLines?: string[] }): void;
};

const flushMilliseconds = 500;
/** Something is sent at least this often, so that a silent worker is noticed. */
const heartbeatMilliseconds = 5_000;
const maxLines = 200;
const maxLineLength = 500;

export function createLiveRelay(job: Pick<LiveMessage, "job" | "round" | "operator">, send: (message: LiveMessage) => void): LiveRelay {
  let phase: JobPhase = "fetching";
  let activity: string | undefined;
  let lines: string[] = [];
  let leftOut = 0;
  let changed = true;
  let sentAt = 0;

  const flush = (): void => {
    if (!changed && performance.now() - sentAt < heartbeatMilliseconds) return;
    const logLines = leftOut > 0 ? [...lines, `[${leftOut} lines are left out here]`] : lines;
    send({ ...job, phase, ...(activity === undefined ? {} : { activity }), ...(logLines.length > 0 ? { logLines } : {}) });
    [lines, leftOut, changed, sentAt] = [[], 0, false, performance.now()];
  };

  const timer = setInterval(flush, flushMilliseconds);
  return {
    progress: (progress) => {
      if (progress.phase !== phase) activity = undefined;
      phase = progress.phase;
      if (progress.activity !== undefined) activity = plainLine(progress.activity, 300);
      const room = progress.logLines?.slice(0, Math.max(0, maxLines - lines.length)) ?? [];
      lines.push(...room.map((line) => line.slice(0, maxLineLength).toWellFormed()));
      leftOut += (progress.logLines?.length ?? 0) - room.length;
      changed = true;
    },
    [Symbol.dispose]: () => {
      clearInterval(timer);
      if (changed) flush();
    },
  };
}
