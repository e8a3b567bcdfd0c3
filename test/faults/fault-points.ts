import { hash } from "node:crypto";
import { appliesTo, faults } from "./fault-plan.ts";
import type { Fault, FaultReport } from "./fault-plan.ts";

export type FaultPoint<Scenario extends string> = { readonly scenario: Scenario; readonly fault: Fault; readonly ordinal: number };

/** Every fault at every step to which it applies. */
export function faultPointsOf<Scenario extends string>(scenario: Scenario, steps: FaultReport["steps"]): FaultPoint<Scenario>[] {
  return faults.flatMap((fault) => {
    const count = steps.filter(({ kind }) => appliesTo(fault, kind)).length;
    return Array.from({ length: count }, (_, index) => ({ scenario, fault, ordinal: index + 1 }));
  });
}

/** `recovering/kill/17`, which `npm run test:faults` takes to run that one alone. */
export function formatFaultPoint({ scenario, fault, ordinal }: FaultPoint<string>): string {
  return `${scenario}/${fault}/${ordinal}`;
}

/** Numbers in [0, 1) that are the same for the same seed. */
export function seededChance(seed: number): () => number {
  let drawn = 0;
  return () => {
    drawn += 1;
    return hash("sha256", `${seed}/${drawn}`, "buffer").readUInt32BE() / 2 ** 32;
  };
}

/** `count` of the values, none twice. */
export function sampleOf<Value>(values: readonly Value[], count: number, chance: () => number): Value[] {
  return values
    .map((value) => ({ value, order: chance() }))
    .sort((a, b) => a.order - b.order)
    .slice(0, count)
    .map(({ value }) => value);
}
