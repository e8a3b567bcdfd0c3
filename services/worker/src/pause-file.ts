import { pause as wait } from "@quorate/bus/backoff";
import { existsSync } from "node:fs";
import { join } from "node:path";

/** While there is a file `paused` in the worker's data directory no job is taken. `quorate worker pause` makes it, `resume` deletes it. */
export type PauseFile = Disposable & {
  /** Aborted when the pause begins. */
  untilPaused(): AbortSignal;
  /** Resolves at once unless paused; rejects when the signal is aborted. */
  untilResumed(signal: AbortSignal): Promise<void>;
  isPaused(): boolean;
};

const lookMilliseconds = 500;

export function watchPauseFile(dataDirectory: string): PauseFile {
  const path = join(dataDirectory, "paused");
  let paused = new AbortController();
  const timer = setInterval(() => {
    if (!existsSync(path)) return;
    paused.abort(new Error("the worker is paused"));
    paused = new AbortController();
  }, lookMilliseconds);
  return {
    untilPaused: () => paused.signal,
    async untilResumed(signal) {
      while (existsSync(path)) await wait(lookMilliseconds, signal);
    },
    isPaused: () => existsSync(path),
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
