/** How long to wait after the nth failure: 0.25, 0.5, 1 … at most 30 seconds, each up to a fifth longer or shorter. */
export function backoffMilliseconds(failures: number, random: () => number = Math.random): number {
  return Math.round(Math.min(30_000, 250 * 2 ** Math.min(failures - 1, 20)) * (0.8 + random() * 0.4));
}

/** @throws the signal's reason when it is aborted */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = (): void => resolve();
  const timer = setTimeout(end, milliseconds);
  signal?.addEventListener("abort", end, { once: true });
  await promise;
  clearTimeout(timer);
  signal?.removeEventListener("abort", end);
  signal?.throwIfAborted();
}
