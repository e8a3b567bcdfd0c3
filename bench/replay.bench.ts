import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bareVerificationsPerSecond } from "./bare-verifications.ts";
import type { Figure } from "./figure.ts";
import { generateLog } from "./generate-log.ts";
import { type Usage, watchProcess } from "./watched-process.ts";

const quorate = fileURLToPath(new URL("../bin/quorate", import.meta.url));
const askedEntries = 1_000_000;

type Replayed = Usage & { readonly entries: number; readonly signatures: number };

/**
 * `quorate replay` of a generated log on this machine's disk, start of the program included, beside the bare verifications of its signatures on
 * all processors. A log of a fifth of the size shows how memory grows.
 */
export async function measure({ entries }: { entries: number }): Promise<Figure[]> {
  const directory = mkdtempSync(join(tmpdir(), "quorate-bench-replay-"));
  try {
    const small = await replayGenerated(join(directory, "small"), Math.ceil(entries / 5));
    const large = await replayGenerated(join(directory, "large"), entries);
    return figuresOf(small, large, await bareVerificationsPerSecond());
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function replayGenerated(directory: string, entries: number): Promise<Replayed> {
  const generated = generateLog(directory, entries);
  const usage = await watchProcess(quorate, ["replay", "--data", directory, "--log", join(directory, "log", "public"), "--json"]);
  const report: { consistent: boolean; entries: number } = JSON.parse(usage.stdout);
  if (!report.consistent || report.entries !== generated.entries)
    throw new Error(`replaying a generated log: ${usage.stdout.slice(0, 300)}`);
  return { ...usage, ...generated };
}

function figuresOf(small: Replayed, large: Replayed, verifications: number): Figure[] {
  const rate = large.entries / large.wallSeconds;
  const floorSeconds = large.signatures / verifications;
  const perEntry = (large.signatures / large.entries).toFixed(2);
  const bare = {
    ratio: floorSeconds / large.wallSeconds,
    reference: `its ${perEntry} ECDSA P-256 signatures an entry, bare, on all processors`,
  };
  const mebibytes = (bytes: number): number => bytes / 2 ** 20;
  return [
    { name: `replay of ${large.entries} entries`, value: rate, unit: "entries/s", ...bare },
    { name: `replay of ${askedEntries} entries at that rate`, value: askedEntries / rate, unit: "s", ...bare },
    { name: "CPU time of an entry, all threads", value: (large.cpuSeconds * 1e6) / large.entries, unit: "µs" },
    { name: `peak memory, ${small.entries} entries`, value: mebibytes(small.peakBytes), unit: "MiB" },
    { name: `peak memory, ${large.entries} entries`, value: mebibytes(large.peakBytes), unit: "MiB" },
    { name: "growth of peak memory", value: (large.peakBytes - small.peakBytes) / (large.entries - small.entries), unit: "B/entry" },
  ];
}
