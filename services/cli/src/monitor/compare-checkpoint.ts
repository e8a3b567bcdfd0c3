import { join } from "node:path";
import { nodeHasher } from "@quorate/signing/node-hasher";
import type { Checkpoint } from "@quorate/tlog/checkpoint";
import { equalHashes } from "@quorate/tlog/hash";
import { type Equivocation, formatEquivocation } from "@quorate/verdict/equivocation";
import { isLogError } from "../is-log-error.ts";
import { saveFile } from "../own-files.ts";
import { type Alert, alertOfError } from "./alert.ts";
import { findEquivocation } from "./find-equivocation.ts";
import { readTile } from "../read-tile.ts";
import type { SeenCheckpoint } from "./seen-checkpoints.ts";
import type { Place, Watch } from "./watch.ts";

/**
 * Compares what a place shows with what was seen before: checkpoints of its size and the largest; what the log shows, with all that were seen
 * beyond what it had before too, such as a witness's that was ahead. Two whose tiles nobody has yet stay to be compared later.
 */
export async function compareCheckpoint(watch: Watch, place: Place, seen: SeenCheckpoint): Promise<Alert[]> {
  const { size, root } = seen.checkpoint;
  const { largest } = watch.seen;
  const from = place.kind === "log" ? Math.min(watch.comparedSize, size) : size;
  const others = new Set([...watch.seen.between(from, size), ...(largest === undefined ? [] : [largest])]);
  // Evidence, whatever comes of the comparison.
  await watch.seen.keep(seen);
  const alerts: Alert[] = [];
  for (const other of others) {
    if (other.checkpoint.size === size && equalHashes(other.checkpoint.root, root)) continue;
    const found = await compareTwo(watch, place, { seen, other });
    if (found.kind === "two-histories") alerts.push(await equivocation(watch, place, { seen, other, evidence: found.evidence }));
    else if (found.kind === "unknown" && place.tiles && other.checkpoint.size < size)
      return [...alerts, alertOfError(place.name, found.error)];
  }
  if (place.kind !== "log") return alerts;
  watch.comparedSize = Math.max(watch.comparedSize, size);
  if (alerts.length > 0 || largest === undefined || largest.checkpoint.size <= size) return alerts;
  return [
    { kind: "shrunk", place: place.name, reason: `it shows ${size} entries, and has signed a checkpoint of ${largest.checkpoint.size}` },
  ];
}

type Comparison =
  | { readonly kind: "one-history" }
  | { readonly kind: "two-histories"; readonly evidence: Equivocation }
  /** No tiles that lead to the larger one's root can be had. */
  | { readonly kind: "unknown"; readonly error: unknown };

type Two = { readonly seen: SeenCheckpoint; readonly other: SeenCheckpoint };

async function compareTwo({ places, signal }: Watch, place: Place, { seen, other }: Two): Promise<Comparison> {
  const own = seen.checkpoint.size > other.checkpoint.size && place.tiles ? [place.tiles] : [];
  let error: unknown;
  for (const tiles of new Set([...own, ...places.flatMap((one) => one.tiles ?? [])])) {
    try {
      const evidence = await findEquivocation(seen, other, { readTile: (path) => readTile(tiles, path, signal), hasher: nodeHasher });
      return evidence === undefined ? { kind: "one-history" } : { kind: "two-histories", evidence };
    } catch (cause) {
      signal.throwIfAborted();
      if (!isLogError(cause)) throw cause;
      error ??= cause;
    }
  }
  return { kind: "unknown", error };
}

async function equivocation(
  { directory }: Watch,
  place: Place,
  { seen, other, evidence }: Two & { evidence: Equivocation },
): Promise<Alert> {
  const pair = [other.checkpoint, seen.checkpoint].toSorted((a, b) => a.size - b.size || Buffer.compare(a.root, b.root));
  const file = join(directory, `equivocation-${pair.map(checkpointName).join("-")}.json`);
  // There is one already of the same two checkpoints when they were found before.
  await saveFile(file, formatEquivocation(evidence), { replace: false });
  const reason = `its checkpoint of ${seen.checkpoint.size} entries contradicts one of ${other.checkpoint.size} that the log signed too`;
  return { kind: "equivocation", place: place.name, reason, evidence: file };
}

/** Enough of the root to tell the checkpoints of one size apart. */
function checkpointName({ size, root }: Checkpoint): string {
  return `${size}-${Buffer.from(root).toString("hex", 0, 8)}`;
}
