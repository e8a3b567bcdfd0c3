import type { EntryRange, LogReader } from "@quorate/client/log-reader";
import type { OperatorId } from "@quorate/protocol/operator";
import type { CheckedEntry } from "@quorate/verdict/check-entry";
import { type CheckedBundle, parseCheckedBundle } from "./checked-bundle.ts";
import { EntryCheckers } from "./entry-checkers.ts";

/** Threads take some tenths of a second to start: fewer entries are read before they have. */
const entriesWorthThreads = 2_000;

export type CheckingAhead = {
  readonly reader: LogReader;
  readonly range: EntryRange;
  readonly networkKey: Uint8Array;
  /** Kept up to date by whoever takes the entries. */
  readonly identityKeys: ReadonlyMap<OperatorId, Uint8Array>;
  readonly signal: AbortSignal;
};

type Bundle = { readonly index: number; readonly entries: readonly Uint8Array[] };

export type BundleAhead = Bundle & {
  /** What was found out about each entry before its turn; `undefined` where nothing was. */
  readonly checked?: readonly CheckedEntry[];
};

/** Bundles of a range of entries, in order; where there are many, other threads check those that follow meanwhile. */
export async function* checkAhead({ reader, range, networkKey, identityKeys, signal }: CheckingAhead): AsyncGenerator<BundleAhead> {
  const bundles = reader.bundles(range, signal);
  if (range.to - range.from < entriesWorthThreads) return yield* bundles;
  await using checkers = new EntryCheckers({ networkKey });
  let used = new Map<OperatorId, Uint8Array>();
  const useKeys = (): void => {
    if (used.size === identityKeys.size && [...identityKeys].every(([operator, key]) => used.get(operator) === key)) return;
    checkers.useKeys((used = new Map(identityKeys)));
  };
  const begun: Begun[] = [];
  // Nearly all keys are in the first bundle: what is checked before they are known is checked twice.
  let capacity = 1;
  for await (const bundle of bundles) {
    useKeys();
    const checked = checkers.check(bundle.entries);
    // Awaited in its turn, unless an earlier bundle ends the reading.
    checked.catch(() => {});
    begun.push({ bundle, checked });
    if (begun.length < capacity) continue;
    yield* takeFirst(begun, signal);
    capacity = checkers.capacity;
  }
  while (begun.length > 0) yield* takeFirst(begun, signal);
}

type Begun = { readonly bundle: Bundle; readonly checked: Promise<CheckedBundle> };

async function* takeFirst(begun: Begun[], signal: AbortSignal): AsyncGenerator<BundleAhead> {
  const first = begun.shift();
  signal.throwIfAborted();
  if (first !== undefined) yield { ...first.bundle, checked: parseCheckedBundle(await first.checked) };
}
