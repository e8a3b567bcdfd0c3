import type { Sha256 } from "@quorate/protocol/digest";
import { type Verdict, verdictSchema } from "@quorate/protocol/verdict";
import { verdictLineSchema } from "@quorate/protocol/verdict-line";
import type { ReadModel } from "./read-model.ts";

/**
 * Keeps a verdict as lists have it, as soon as its target is known too. `known_at` orders by when that was: an entry's own index, or, for what
 * was opened after its entry was read, how far the log had been read by then. So whoever has read up to some index misses nothing.
 */
export function saveVerdictLine(model: ReadModel, index: number, verdict: Verdict): void {
  const target = model
    .prepare("SELECT distribution, suite, source, version, architecture FROM target WHERE digest = ?")
    .get(verdict.target);
  if (target === undefined) return;
  const { outcome, reason, decidedAt, supersedes, dissent } = verdict;
  const line = verdictLineSchema.parse({
    index,
    target: verdict.target,
    ...target,
    outcome,
    ...(reason !== undefined && { reason }),
    decidedAt,
    ...(supersedes !== undefined && { supersedes }),
    dissent,
    artifacts: verdict.artifacts.map(({ file, outcome: said }) => ({ ...artifactOf(model, verdict.target, file), outcome: said })),
  });
  model.run(
    "INSERT OR IGNORE INTO verdict_line VALUES (?1, max(?1, coalesce((SELECT size FROM read_to), 0)), ?2, ?3, ?4)",
    index,
    line.distribution,
    line.suite,
    JSON.stringify(line),
  );
}

/** Of a target that was opened after verdicts on it were read. */
export function saveVerdictLinesOf(model: ReadModel, target: Sha256): void {
  for (const row of model.prepare("SELECT log_index, verdict FROM verdict WHERE target = ?").all(target)) {
    saveVerdictLine(model, Number(row["log_index"]), verdictSchema.parse(JSON.parse(String(row["verdict"]))));
  }
}

function artifactOf(model: ReadModel, target: Sha256, file: string) {
  return model.prepare("SELECT file, package, version, architecture, sha256 FROM artifact WHERE target = ? AND file = ?").get(target, file);
}

/** Lines of JSON, from `since` on. */
export type VerdictSlice = { readonly lines: readonly string[]; readonly next: number };

const batchLines = 512;

/** Every verdict that became known at `since` or later, in the order in which they did, in batches that are read one at a time. */
export function* eachVerdictBatch(model: ReadModel, since: number): Generator<readonly string[]> {
  for (let [knownAt, index] = [since, -1]; ;) {
    const rows = model
      .prepare(
        "SELECT known_at, log_index, line FROM verdict_line WHERE (known_at, log_index) > (?, ?) ORDER BY known_at, log_index LIMIT ?",
      )
      .all(knownAt, index, batchLines);
    if (rows.length > 0) yield rows.map(({ line }) => String(line));
    if (rows.length < batchLines) return;
    [knownAt, index] = [Number(rows.at(-1)?.["known_at"]), Number(rows.at(-1)?.["log_index"])];
  }
}

/** The first `limit` of them, and those that became known together with the last. */
export function loadVerdictSlice(model: ReadModel, since: number, limit: number): VerdictSlice {
  const { size } = model.readTo();
  const rows = model
    .prepare("SELECT known_at, line FROM verdict_line WHERE known_at >= ? ORDER BY known_at, log_index LIMIT ?")
    .all(since, limit);
  const lines = rows.map(({ line }) => String(line));
  if (rows.length < limit) return { lines, next: size };
  const last = Number(rows.at(-1)?.["known_at"]);
  const together = model.prepare("SELECT line FROM verdict_line WHERE known_at = ? ORDER BY log_index LIMIT -1 OFFSET ?");
  const among = rows.filter((row) => row["known_at"] === last).length;
  return { lines: [...lines, ...together.all(last, among).map(({ line }) => String(line))], next: Math.min(last + 1, size) };
}
