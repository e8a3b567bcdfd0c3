import type { Enrolment, Groups } from "@quorate/protocol/operator";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { enrolmentOf } from "./evidence.fixture.ts";
import { countOnce, hasIndependent, isDiverse } from "./independence.ts";

const kinds = ["organisation", "country", "funder"] as const;
const groups: fc.Arbitrary<Groups> = fc.record(
  { organisation: fc.constantFrom("A", "B", "C", "D"), country: fc.constantFrom("SE", "FR", "DE"), funder: fc.constantFrom("F", "G", "H") },
  { requiredKeys: [] },
);
const operators = fc.array(groups, { maxLength: 8 }).map((all) => all.map((of, index) => enrolmentOf(`operator ${index}`, of)));
const countOnceBy = fc.subarray([...kinds]);

/** The definition: some subset of that size in which no two count once together. */
function definition(of: readonly Enrolment[], needed: number, by: (typeof kinds)[number][]): boolean {
  if (needed === 0) return true;
  return of.some((operator, position) =>
    definition(
      of.slice(position + 1).filter((other) => !countOnce(operator, other, by)),
      needed - 1,
      by,
    ),
  );
}

describe("independent operators", () => {
  test("are counted as the definition says", () => {
    fc.assert(
      fc.property(operators, fc.integer({ min: 0, max: 6 }), countOnceBy, (of, needed, by) => {
        expect(hasIndependent(of, needed, by)).toBe(definition(of, needed, by));
      }),
      { numRuns: 500 },
    );
  });

  test("are not fewer when one more comes", () => {
    fc.assert(
      fc.property(operators, groups, fc.integer({ min: 1, max: 6 }), countOnceBy, (of, more, needed, by) => {
        const before = hasIndependent(of, needed, by);
        expect(hasIndependent([...of, enrolmentOf("one more", more)], needed, by) || !before).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test("one operator is one, however often it is named", () => {
    expect(hasIndependent([enrolmentOf("ada"), enrolmentOf("ada")], 2, [])).toBe(false);
  });

  test("are counted in time also where hundreds share two kinds of groups", () => {
    const many = Array.from({ length: 300 }, (_, index) =>
      enrolmentOf(`${index}`, { organisation: `${index % 40}`, funder: `${index % 7}` }),
    );
    expect(hasIndependent(many, 7, ["organisation", "funder"])).toBe(true);
    expect(hasIndependent(many, 8, ["organisation", "funder"])).toBe(false);
  });
});

test("no value of a group shows nothing", () => {
  const diversity = [{ group: "country" as const, distinct: 2 }];
  expect(isDiverse([enrolmentOf("ada", { country: "SE" }), enrolmentOf("bert")], diversity)).toBe(false);
  expect(isDiverse([enrolmentOf("ada", { country: "SE" }), enrolmentOf("bert", { country: "FR" })], diversity)).toBe(true);
});
