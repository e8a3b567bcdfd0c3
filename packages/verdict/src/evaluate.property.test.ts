import { operatorOf } from "@quorate/attestation/nouns.fixture";
import type { Groups } from "@quorate/protocol/operator";
import type { Policy } from "@quorate/protocol/policy";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Said, enrolledOf, evidenceOf, roundOf } from "./evidence.fixture.ts";
import { evaluate } from "./evaluate.ts";
import type { Evidence } from "./evidence.ts";
import { hasIndependent } from "./independence.ts";

const names = ["ada", "bert", "cyd", "dora", "eve", "finn"];
const traces = [[], ["a", "b"], ["a", "b", "c", "d"], ["a", "b", "c", "x"], ["x", "y", "z", "d"], ["x", "y", "z", "w"]];

const groups: fc.Arbitrary<Groups> = fc.record(
  { organisation: fc.constantFrom("A", "B", "C"), country: fc.constantFrom("SE", "FR"), funder: fc.constantFrom("F", "G") },
  { requiredKeys: [] },
);

const said: fc.Arbitrary<Said> = fc
  .record({
    by: fc.constantFrom(...names),
    digest: fc.constantFrom("reference", "reference", "reference", "evil", "other"),
    fails: fc.integer({ min: 0, max: 7 }),
    trace: fc.constantFrom(...traces),
    traceMissing: fc.integer({ min: 0, max: 7 }).map((value) => value === 0),
    committedAt: fc.integer({ min: 10, max: 40 }),
    revealedAt: fc.integer({ min: 35, max: 60 }),
    nonce: fc.integer({ min: 0, max: 2 }),
    environment: fc.integer({ min: 0, max: 9 }).map((value) => (value === 0 ? { environment: "another" } : {})),
  })
  .map(({ fails, environment, ...words }) =>
    fails === 0 ? { ...words, failure: { reason: "timeout", step: "build", message: "no end" } } : { ...words, ...environment },
  );

const policies: fc.Arbitrary<Policy> = fc.record({
  version: fc.constant(1),
  threshold: fc.integer({ min: 1, max: 3 }),
  committeeSize: fc.constant(3),
  diversity: fc.array(fc.record({ group: fc.constantFrom("organisation" as const, "country" as const), distinct: fc.constant(2) }), {
    maxLength: 1,
  }),
  countOnceBy: fc.subarray(["organisation", "country", "funder"] as const).map((kinds) => [...kinds]),
  trace: fc.record({
    sharePercent: fc.constantFrom(0, 50, 75, 100),
    minimumFiles: fc.integer({ min: 1, max: 4 }),
    countTraceless: fc.boolean(),
  }),
  commitDeadlineSeconds: fc.constant(1),
  revealDeadlineSeconds: fc.constant(1),
});

const evidence: fc.Arbitrary<Evidence> = fc
  .record({
    said: fc.array(said, { maxLength: 9 }),
    groups: fc.array(groups, { minLength: names.length, maxLength: names.length }),
    revoked: fc.option(fc.tuple(fc.constantFrom(...names), fc.integer({ min: 30, max: 60 })), { nil: undefined, freq: 6 }),
    standInsCalled: fc.integer({ min: 0, max: 2 }),
    closed: fc.boolean(),
  })
  .map(({ said, groups, revoked, standInsCalled, closed }) => {
    const enrolled = enrolledOf(Object.fromEntries(names.map((name, index) => [name, groups[index] ?? {}])));
    const operator = revoked && enrolled.get(operatorOf(revoked[0]));
    if (revoked && operator) enrolled.set(operatorOf(revoked[0]), { ...operator, revokedAt: revoked[1] });
    const made = evidenceOf(said, { enrolled, closed, round: roundOf(names.slice(0, 3), names.slice(3), standInsCalled) });
    // When the first result was logged is a fact about the log; it stays one when that result is left out.
    return { ...made, firstReveal: Math.min(...made.results.map(({ index }) => index), 1000) };
  });

/** Every way to leave one piece of evidence out. */
function smaller(from: Evidence): Evidence[] {
  return [
    ...from.results.map((_, position) => ({ ...from, results: from.results.toSpliced(position, 1) })),
    ...from.commitments.map((_, position) => ({ ...from, commitments: from.commitments.toSpliced(position, 1) })),
    ...from.results.map((logged, position) => {
      const { trace: _left, ...rest } = logged;
      return { ...from, results: from.results.with(position, rest) };
    }),
    ...[...from.enrolled.keys()].map((operator) => ({ ...from, enrolled: new Map([...from.enrolled].filter(([id]) => id !== operator)) })),
    { ...from, closed: false },
  ];
}

function isReproduced(from: Evidence, policy: Policy): boolean {
  const decision = evaluate(from, policy);
  return decision.kind === "decided" && decision.outcome === "reproduced";
}

const many = { numRuns: 1500 };

describe("evaluate", () => {
  test("leaving any evidence out never turns another outcome into reproduced", () => {
    let reproduced = 0;
    fc.assert(
      fc.property(evidence, policies, (from, policy) => {
        const allowed = isReproduced(from, policy);
        if (allowed) reproduced += 1;
        else for (const without of smaller(from)) expect(isReproduced(without, policy)).toBe(false);
      }),
      many,
    );
    // Otherwise the property would hold of a function that always refuses.
    expect(reproduced).toBeGreaterThan(many.numRuns / 50);
  });

  test("the order of the evidence does not matter", () => {
    fc.assert(
      fc.property(evidence, policies, fc.infiniteStream(fc.nat()), (from, policy, numbers) => {
        const shuffled = <Item>(items: readonly Item[]): Item[] =>
          items
            .map((item) => ({ item, key: numbers.next().value as number }))
            .sort((a, b) => a.key - b.key)
            .map(({ item }) => item);
        const again = {
          ...from,
          results: shuffled(from.results),
          commitments: shuffled(from.commitments),
          enrolled: new Map(shuffled([...from.enrolled])),
        };
        expect(evaluate(again, policy)).toEqual(evaluate(from, policy));
      }),
      { numRuns: 500 },
    );
  });

  test("evidence that is given twice is given once", () => {
    fc.assert(
      fc.property(evidence, policies, (from, policy) => {
        const twice = { ...from, results: [...from.results, ...from.results], commitments: [...from.commitments, ...from.commitments] };
        expect(evaluate(twice, policy)).toEqual(evaluate(from, policy));
      }),
      { numRuns: 500 },
    );
  });

  test("reproduced takes as many independent operators as the threshold, all of whom counted and agreed", () => {
    fc.assert(
      fc.property(evidence, policies, (from, policy) => {
        const decision = evaluate(from, policy);
        if (decision.kind !== "decided" || decision.outcome !== "reproduced") return;
        for (const { reference, digests } of decision.artifacts) {
          const operators = digests.find(({ sha256 }) => sha256 === reference)?.operators ?? [];
          const counted = new Set(decision.inputs.filter(({ standing }) => standing === "counted").map(({ operator }) => operator));
          expect(operators.every((operator) => counted.has(operator))).toBe(true);
          expect(new Set(operators).size).toBe(operators.length);
          const enrolments = operators.flatMap((operator) => from.enrolled.get(operator)?.enrolment ?? []);
          expect(hasIndependent(enrolments, policy.threshold, policy.countOnceBy)).toBe(true);
        }
      }),
      many,
    );
  });
});
