import type { BegunEntry, NextEntry, Replay } from "./replay.ts";

/** How many entries are begun before the first of them is added: enough to keep other threads busy, few enough to hold in memory. */
const entriesAhead = 1024;

/**
 * Replays entries in order, with those that follow begun meanwhile.
 *
 * @throws ReplayError at the first entry, by index, that breaks a rule
 */
export async function replayAhead(
  replay: Replay,
  entries: AsyncIterable<NextEntry> | Iterable<NextEntry>,
  onEntry: (index: number) => void = () => {},
): Promise<void> {
  const begun: BegunEntry[] = [];
  const addFirst = async (): Promise<void> => {
    const first = begun.shift();
    if (first === undefined) return;
    await replay.add(first);
    onEntry(first.index);
  };
  for await (const next of entries) {
    begun.push(replay.begin(next));
    if (begun.length > entriesAhead) await addFirst();
  }
  while (begun.length > 0) await addFirst();
}
