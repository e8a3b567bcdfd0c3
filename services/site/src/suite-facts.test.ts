import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestOf, sampleTarget } from "@quorate/attestation/nouns.fixture";
import type { Sha256 } from "@quorate/protocol/digest";
import { type Target, targetDigestOf } from "@quorate/protocol/target";
import type { Verdict } from "@quorate/protocol/verdict";
import { openDataDirectory } from "@quorate/service/data-directory";
import { expect, it } from "vitest";
import { openReadModel, readModelFormat } from "./read-model.ts";
import { saveStatement } from "./save-statement.ts";
import { listDays, listLogDays, listShares } from "./suite-facts.ts";

const suite = { distribution: "debian", suite: "bookworm" };
const first: Target = { ...sampleTarget, source: "first" };
const second: Target = { ...sampleTarget, source: "second", component: "contrib" };

function verdictOn(target: Target, changes: Pick<Verdict, "outcome" | "decidedAt"> & { reason?: string; round?: Sha256 }): Verdict {
  const round = digestOf(`${target.source} ${changes.decidedAt}`);
  return { target: targetDigestOf(target), round, policy: digestOf("policy"), artifacts: [], dissent: [], inputs: [], ...changes };
}

it("counts targets by their newest verdicts: day by day, by component, and by what stands in the way", async () => {
  await using stack = new AsyncDisposableStack();
  const path = await mkdtemp(join(tmpdir(), "quorate-suite-facts-"));
  stack.defer(() => rm(path, { recursive: true }));
  const model = stack.use(await openReadModel(stack.use(await openDataDirectory({ path, service: "site", format: readModelFormat }))));
  let index = 0;
  const save = (statement: Parameters<typeof saveStatement>[2]) => saveStatement(model, index++, statement);
  save({ kind: "target", target: first });
  const failed = { outcome: "failed", reason: "timeout: after 3600 s (build, 2 operators)" } as const;
  save({ kind: "verdict", verdict: verdictOn(first, { ...failed, decidedAt: "2026-11-20T23:59:59Z" }) });
  // Its target comes after it, as that in a large envelope may.
  save({ kind: "verdict", verdict: verdictOn(second, { outcome: "mismatch", decidedAt: "2026-11-21T01:00:00Z" }) });
  save({ kind: "target", target: second });

  expect(listShares(model, suite, "cause")).toEqual([
    { value: "mismatch", counts: new Map([["mismatch", 1]]) },
    { value: "timeout", counts: new Map([["failed", 1]]) },
  ]);
  save({ kind: "verdict", verdict: verdictOn(first, { outcome: "reproduced", decidedAt: "2026-11-22T01:00:00Z" }) });
  expect(listShares(model, suite, "cause")).toEqual([{ value: "mismatch", counts: new Map([["mismatch", 1]]) }]);
  expect(listShares(model, suite, "component")).toEqual([
    { value: "contrib", counts: new Map([["mismatch", 1]]) },
    { value: "main", counts: new Map([["reproduced", 1]]) },
  ]);
  expect(listDays(model, suite).map(({ day, counts }) => [day, Object.fromEntries(counts)])).toEqual([
    ["2026-11-20", { failed: 1 }],
    ["2026-11-21", { failed: 1, mismatch: 1 }],
    ["2026-11-22", { failed: 0, mismatch: 1, reproduced: 1 }],
  ]);
  expect(listLogDays(model)).toEqual([
    { day: "2026-11-20", size: 2 },
    { day: "2026-11-21", size: 3 },
    { day: "2026-11-22", size: 5 },
  ]);
  expect(listDays(model, { ...suite, suite: "sid" })).toEqual([]);
});
