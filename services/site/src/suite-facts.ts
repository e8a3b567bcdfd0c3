import { verdictOutcomes } from "@quorate/protocol/verdict";
import { z } from "zod";
import type { OutcomeCounts, SuiteName } from "./network-facts.ts";
import { totalCount } from "./outcome.ts";
import type { ReadModel } from "./read-model.ts";

/** Targets that have something in common, by their newest verdicts. */
export type Share = { readonly value: string; readonly counts: OutcomeCounts };

/** What shares are of: the component, or why a target did not reproduce. */
export const shareFacets = ["component", "cause"] as const;
export type ShareFacet = (typeof shareFacets)[number];

/** How a suite stood at the end of a day on which a verdict was decided. */
export type SuiteDay = { readonly day: string; readonly counts: OutcomeCounts };

const rowSchema = z.object({ value: z.string(), outcome: z.enum([...verdictOutcomes, "pending"]), targets: z.number() });

function rowsOf(model: ReadModel, { distribution, suite }: SuiteName, facet: ShareFacet | "day") {
  return model
    .prepare("SELECT value, outcome, targets FROM suite_facet WHERE distribution = ? AND suite = ? AND facet = ? ORDER BY value")
    .all(distribution, suite, facet)
    .map((row) => rowSchema.parse(row));
}

/** The largest first. */
export function listShares(model: ReadModel, suite: SuiteName, facet: ShareFacet): Share[] {
  const rows = rowsOf(model, suite, facet).filter(({ targets }) => targets > 0);
  const shares = Array.from(
    Map.groupBy(rows, ({ value }) => value),
    ([value, ofValue]) => ({
      value,
      counts: new Map(ofValue.map(({ outcome, targets }) => [outcome, targets])),
    }),
  );
  return shares.toSorted((a, b) => totalCount(b.counts) - totalCount(a.counts));
}

/** Day by day, oldest first; days without a verdict are left out. */
export function listDays(model: ReadModel, suite: SuiteName): SuiteDay[] {
  let counts: OutcomeCounts = new Map();
  return Array.from(
    Map.groupBy(rowsOf(model, suite, "day"), ({ value }) => value),
    ([day, changes]) => {
      const next = new Map(counts);
      for (const { outcome, targets } of changes) next.set(outcome, (next.get(outcome) ?? 0) + targets);
      counts = next;
      return { day, counts };
    },
  );
}

/** The size that the log had at the last verdict of each day, oldest first. */
export function listLogDays(model: ReadModel): { day: string; size: number }[] {
  const rows = model.prepare("SELECT day, size FROM log_day ORDER BY day").all();
  return rows.map((row) => ({ day: String(row["day"]), size: Number(row["size"]) }));
}
