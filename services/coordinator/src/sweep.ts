import type { Sha256 } from "@quorate/protocol/digest";

export type Sweep = AsyncDisposable & {
  /** Looks at once, besides the regular times. */
  now(): void;
};

/**
 * Finds the rounds that something is due for, again and again: deadlines, silent workers, asking for reveals once more, and all that a
 * crash or a lost Redis left undone.
 */
export function startSweep(options: {
  everyMilliseconds: number;
  /** The rounds after one, in some lasting order; none at the end. */
  loadDue: (after: Sha256 | undefined) => Promise<Sha256[]>;
  wake: (rounds: readonly Sha256[]) => void;
  onError: (error: unknown) => void;
}): Sweep {
  let running: Promise<void> | undefined;
  const sweep = async () => {
    try {
      for (let due = await options.loadDue(undefined); due.length > 0; due = await options.loadDue(due.at(-1))) options.wake(due);
    } catch (error) {
      options.onError(error);
    } finally {
      running = undefined;
    }
  };
  const begin = () => void (running ??= sweep());
  const timer = setInterval(begin, options.everyMilliseconds);
  begin();
  return {
    now: begin,
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await running;
    },
  };
}
