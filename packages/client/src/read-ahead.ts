const readsAhead = 4;

/** Reads `from` to `to` (not included) in order, a few ahead of whoever takes them. */
export async function* readAhead<T>(read: (at: number) => Promise<T>, from: number, to: number): AsyncGenerator<{ at: number; value: T }> {
  const pending: Promise<T>[] = [];
  for (let at = from; at < to; at++) {
    while (pending.length < readsAhead && at + pending.length < to) {
      const promise = read(at + pending.length);
      // Awaited below, unless the reader leaves before.
      promise.catch(() => {});
      pending.push(promise);
    }
    const next = pending.shift();
    if (next) yield { at, value: await next };
  }
}
