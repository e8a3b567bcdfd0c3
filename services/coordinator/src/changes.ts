import type { LiveMessage } from "@quorate/protocol/job";
import type { Sha256 } from "@quorate/protocol/digest";

export type RoundListener = { changed(): void; live(message: LiveMessage): void };

/** Tells those who watch a round that it changed. In this process only, nothing is kept: what changed is read from the database. */
export type RoundChanges = {
  watch(rounds: readonly Sha256[], listener: RoundListener): Disposable;
  changed(round: Sha256): void;
  live(message: LiveMessage): void;
};

export function createRoundChanges(): RoundChanges {
  const listeners = new Map<Sha256, Set<RoundListener>>();
  return {
    watch(rounds, listener) {
      for (const round of rounds) {
        const watching = listeners.get(round) ?? new Set();
        listeners.set(round, watching.add(listener));
      }
      return {
        [Symbol.dispose]() {
          for (const round of rounds) {
            const watching = listeners.get(round);
            watching?.delete(listener);
            if (watching?.size === 0) listeners.delete(round);
          }
        },
      };
    },
    changed: (round) => listeners.get(round)?.forEach((listener) => listener.changed()),
    live: (message) => listeners.get(message.round)?.forEach((listener) => listener.live(message)),
  };
}
