import { faultPointsOf, seededChance } from "./fault-points.ts";
import type { FaultPoint } from "./fault-points.ts";
import type { FaultPlan } from "./fault-plan.ts";
import { runLogFault } from "./log-fault-run.ts";
import type { FaultRun } from "./log-fault-run.ts";
import { logScenarios, prepareLogs } from "./log-scenario.ts";
import { runWitnessFault } from "./witness-fault-run.ts";

export const scenarios = [...logScenarios, "witness"] as const;
export type Scenario = (typeof scenarios)[number];

export type FaultSuite = AsyncDisposable & {
  /** How many storage steps the scenarios take. */
  readonly stepCount: number;
  readonly points: readonly FaultPoint<Scenario>[];
  run(point: FaultPoint<Scenario>, seed: number): Promise<FaultRun>;
};

/** Runs every scenario once without a fault, to learn its steps. */
export async function openFaultSuite(): Promise<FaultSuite> {
  await using stack = new AsyncDisposableStack();
  const logs = stack.use(await prepareLogs());
  const runAt = async (scenario: Scenario, { point, chance }: { point: FaultPlan["point"]; chance: () => number }) => {
    if (scenario === "witness") return runWitnessFault({ point, chance });
    await using copy = await logs.copy(scenario);
    return await runLogFault(copy.path, { scenario, point, chance });
  };
  const points: FaultPoint<Scenario>[] = [];
  let stepCount = 0;
  for (const scenario of scenarios) {
    const { report, broken, output } = await runAt(scenario, { point: undefined, chance: Math.random });
    if (broken.length > 0) throw new Error(`${scenario}, without a fault: ${broken.join("; ")}\n${output}`);
    stepCount += report.steps.length;
    points.push(...faultPointsOf(scenario, report.steps));
  }
  const owned = stack.move();
  return {
    stepCount,
    points,
    run: ({ scenario, fault, ordinal }, seed) => runAt(scenario, { point: { fault, ordinal }, chance: seededChance(seed + ordinal) }),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
