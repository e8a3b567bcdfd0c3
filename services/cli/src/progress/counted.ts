import type { Terminal } from "../terminal.ts";
import { createLiveRegion } from "./live-region.ts";

const redrawMilliseconds = 100;

/** One line that is drawn again as something is counted, where people watch. */
export function createCountedProgress(terminal: Terminal, line: (count: number) => string): Disposable & { at(count: number): void } {
  if (!terminal.live) return { at: () => {}, [Symbol.dispose]: () => {} };
  const region = createLiveRegion(terminal);
  let drawnAt = 0;
  return {
    at(count) {
      const now = performance.now();
      if (now - drawnAt < redrawMilliseconds) return;
      drawnAt = now;
      region.show([line(count)]);
    },
    [Symbol.dispose]: () => region[Symbol.dispose](),
  };
}
