import { setTimeout as delay } from "node:timers/promises";

/** How long to wait after the nth failure: 0.25, 0.5, 1 … at most 30 seconds, each up to a fifth longer or shorter. */
export function backoffMilliseconds(failures: number, random: () => number = Math.random): number {
  return Math.round(Math.min(30_000, 250 * 2 ** Math.min(failures - 1, 20)) * (0.8 + random() * 0.4));
}

/** @throws the signal's reason when it is aborted */
export async function pause(milliseconds: number, signal?: AbortSignal | undefined): Promise<void> {
  try {
    await delay(milliseconds, undefined, signal ? { signal } : {});
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
