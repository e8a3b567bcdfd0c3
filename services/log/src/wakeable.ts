/** Work that runs when woken, once at a time; a wake during a run makes it run again. */
export type Wakeable = {
  wake(): void;
  /** Resolves when it does not run. */
  idle(): Promise<void>;
};

/** `work` must not throw: nobody awaits it. It starts in a later turn, so that wakes of one turn share a run. */
export function createWakeable(work: () => Promise<void>): Wakeable {
  let woken = false;
  let running: Promise<void> | undefined;
  const run = async () => {
    await Promise.resolve();
    while (woken) {
      woken = false;
      await work();
    }
    // In the same step as the look at `woken`: a wake must find either a run that will look again or none.
    running = undefined;
  };
  return {
    wake() {
      woken = true;
      running ??= run();
    },
    async idle() {
      await running;
    },
  };
}
