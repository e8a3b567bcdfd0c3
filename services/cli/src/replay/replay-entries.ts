import type { EntryRange, LogReader } from "@quorate/client/log-reader";
import type { Replay } from "@quorate/verdict/replay";
import { checkAhead } from "./check-ahead.ts";

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
export async function replayEntries({ replay, reader, range, networkKey, onEntry, onBundle, signal }: ReplayedEntries): Promise<void> {
  const identityKeys = replay.identityKeys();
  for await (const { index, entries, checked } of checkAhead({ reader, range, networkKey, identityKeys, signal })) {
    signal.throwIfAborted();
    for (const [offset, bytes] of entries.entries()) {
      await replay.add({ index: index + offset, bytes }, checked?.[offset]);
      onEntry?.(index + offset);
    }
    await onBundle?.();
  }
}
