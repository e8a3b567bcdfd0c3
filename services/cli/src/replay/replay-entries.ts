import type { EntryRange, LogReader } from "@quorate/client/log-reader";
import type { CheckedEntry } from "@quorate/verdict/check-entry";
import type { Replay } from "@quorate/verdict/replay";
import { EntryCheckers } from "./entry-checkers.ts";

/** Threads take some tenths of a second to start: a log of fewer entries is replayed before they have. */
const entriesWorthThreads = 2_000;

type Entries = { readonly index: number; readonly entries: readonly Uint8Array[] };

export type ReplayedEntries = {
  readonly replay: Replay;
  readonly reader: LogReader;
  readonly range: EntryRange;
  readonly networkKey: Uint8Array;
  readonly onEntry?: (index: number) => void;
  /** Called between two bundles. */
  readonly onBundle?: () => Promise<void>;
  readonly signal: AbortSignal;
};

/** Replays a range of entries in order; of many, other threads check those that follow meanwhile. @throws ReplayError at the first bad entry */
export async function replayEntries(given: ReplayedEntries): Promise<void> {
  const { reader, range, signal } = given;
  const bundles = reader.bundles(range, signal);
  if (range.to - range.from < entriesWorthThreads) {
    for await (const bundle of bundles) {
      signal.throwIfAborted();
      await addEntries(given, bundle);
    }
  } else {
    await replayOnThreads(given, bundles);
  }
}

async function replayOnThreads(given: ReplayedEntries, bundles: AsyncIterable<Entries>): Promise<void> {
  const { replay, networkKey, signal } = given;
  await using checkers = new EntryCheckers({ networkKey });
  checkers.useKeys(replay.identityKeys());
  const begun: { readonly bundle: Entries; readonly checked: Promise<CheckedEntry[]> }[] = [];
  const addFirst = async (): Promise<void> => {
    const first = begun.shift();
    if (first === undefined) return;
    signal.throwIfAborted();
    if (await addEntries(given, first.bundle, await first.checked)) checkers.useKeys(replay.identityKeys());
  };
  // Nearly all keys are in the first bundle: what is checked before they are known is checked twice.
  let capacity = 1;
  for await (const bundle of bundles) {
    const checked = checkers.check(bundle.entries);
    // Awaited in its turn, unless an earlier bundle ends the replay.
    checked.catch(() => {});
    begun.push({ bundle, checked });
    if (begun.length < capacity) continue;
    await addFirst();
    capacity = checkers.capacity;
  }
  while (begun.length > 0) await addFirst();
}

/** @returns whether an operator's keys have changed */
async function addEntries(
  { replay, onEntry, onBundle }: ReplayedEntries,
  { index, entries }: Entries,
  checked?: CheckedEntry[],
): Promise<boolean> {
  let keysChanged = false;
  for (const [offset, bytes] of entries.entries()) {
    const { kind } = await replay.add({ index: index + offset, bytes }, checked?.[offset]);
    keysChanged ||= kind === "operator";
    onEntry?.(index + offset);
  }
  await onBundle?.();
  return keysChanged;
}
