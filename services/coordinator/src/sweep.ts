export type Sweep = AsyncDisposable & {
  /** Looks at once, besides the regular times. */
  now(): void;
};

/** Looks for what is due, again and again, one look at a time: all that a deadline, a crash or a failure left to be done. */
export function startSweep(options: { everyMilliseconds: number; look: () => Promise<void>; onError: (error: unknown) => void }): Sweep {
  let running: Promise<void> | undefined;
  const sweep = async () => {
    try {
      await options.look();
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
