import type { Sha256 } from "@quorate/protocol/digest";

export type Sweep = AsyncDisposable;

/**
 * Finds the rounds that something is due for, again and again: deadlines, silent workers, asking for reveals once more, and all that a
 * crash or a lost Redis left undone.
 */
export function startSweep(options: {
  everyMilliseconds: number;
  loadDue: () => Promise<Sha256[]>;
  wake: (rounds: readonly Sha256[]) => void;
  onError: (error: unknown) => void;
}): Sweep {
  let running: Promise<void> | undefined;
  const sweep = async () => {
    try {
      const due = await options.loadDue();
      if (due.length > 0) options.wake(due);
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
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await running;
    },
  };
}
