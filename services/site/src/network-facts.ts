import { type Sha256, parseSha256 } from "@quorate/protocol/digest";
import { type VerdictOutcome, verdictOutcomes } from "@quorate/protocol/verdict";
import { z } from "zod";
import type { ReadModel } from "./read-model.ts";

/** A target with its newest verdict, in one line of a list. */
export type TargetLine = {
  readonly digest: Sha256;
  readonly distribution: string;
  readonly suite: string;
  readonly source: string;
  readonly version: string;
  readonly architecture: string;
  readonly outcome: VerdictOutcome;
  readonly verdictIndex: number;
  readonly decidedAt: string;
  readonly reason: string | null;
};

export type OutcomeCounts = ReadonlyMap<VerdictOutcome | "pending", number>;

export type SuiteFacts = { readonly distribution: string; readonly suite: string; readonly counts: OutcomeCounts };

const outcomeSchema = z.enum(verdictOutcomes);
const countSchema = z.object({
  distribution: z.string(),
  suite: z.string(),
  outcome: z.enum([...verdictOutcomes, "pending"]),
  count: z.number(),
});

/** Targets of each suite by their newest verdict. */
export function listSuites(model: ReadModel): SuiteFacts[] {
  const rows = model
    .prepare("SELECT distribution, suite, outcome, targets AS count FROM suite_outcome WHERE targets > 0")
    .all()
    .map((row) => countSchema.parse(row));
  return [...Map.groupBy(rows, ({ distribution, suite }) => `${distribution}/${suite}`).values()].flatMap((ofSuite) => {
    const [first] = ofSuite;
    if (first === undefined) return [];
    const counts = new Map(ofSuite.map(({ outcome, count }) => [outcome, count]));
    return [{ distribution: first.distribution, suite: first.suite, counts }];
  });
}

/** Of all suites together. */
export function totalOf(suites: readonly SuiteFacts[]): OutcomeCounts {
  const total = new Map<VerdictOutcome | "pending", number>();
  for (const { counts } of suites) for (const [outcome, count] of counts) total.set(outcome, (total.get(outcome) ?? 0) + count);
  return total;
}

const targetLineSchema = z.object({
  digest: z.string().transform(parseSha256),
  distribution: z.string(),
  suite: z.string(),
  source: z.string(),
  version: z.string(),
  architecture: z.string(),
  outcome: outcomeSchema,
  verdictIndex: z.number(),
  decidedAt: z.string(),
  reason: z.string().nullable(),
});

const targetLineSql = `
  SELECT digest, distribution, suite, source, version, architecture, target.outcome, newest_verdict AS verdictIndex,
    json_extract(verdict.verdict, '$.decidedAt') AS decidedAt, json_extract(verdict.verdict, '$.reason') AS reason
  FROM target JOIN verdict ON verdict.log_index = target.newest_verdict`;

/** Targets whose newest verdict has this outcome, the newest first. */
export function listTargets(model: ReadModel, outcome: VerdictOutcome, limit: number): TargetLine[] {
  return model
    .prepare(`${targetLineSql} WHERE target.outcome = ? ORDER BY newest_verdict DESC LIMIT ?`)
    .all(outcome, limit)
    .map((row) => targetLineSchema.parse(row));
}

export type SuiteName = Pick<SuiteFacts, "distribution" | "suite">;

/** Targets of a suite that came out so, the newest verdict first. */
export function listSuiteTargets(
  model: ReadModel,
  { distribution, suite }: SuiteName,
  { outcome, limit }: { outcome: VerdictOutcome; limit: number },
): TargetLine[] {
  return model
    .prepare(`${targetLineSql} WHERE distribution = ? AND suite = ? AND target.outcome = ? ORDER BY newest_verdict DESC LIMIT ?`)
    .all(distribution, suite, outcome, limit)
    .map((row) => targetLineSchema.parse(row));
}

/** Every verdict of a suite that stands, by source, one at a time. */
export function* eachSuiteTarget(model: ReadModel, { distribution, suite }: SuiteName): Generator<TargetLine> {
  // Prepared for this reader alone: others read at the same time.
  const statement = model.prepareAnew(`${targetLineSql} WHERE distribution = ? AND suite = ? ORDER BY source, version, architecture`);
  for (const row of statement.iterate(distribution, suite)) yield targetLineSchema.parse(row);
}
