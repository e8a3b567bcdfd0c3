import { digestOf, sampleTarget } from "@quorate/attestation/nouns.fixture";
import type { Enrolment, Groups } from "@quorate/protocol/operator";
import { type Policy, defaultPolicy } from "@quorate/protocol/policy";
import { hashFromSha256 } from "@quorate/tlog/hash";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canBuild, drawCommittee } from "./committee.ts";
import { enrolmentOf } from "./evidence.fixture.ts";

const operators = Array.from({ length: 12 }, (_, index) => enrolmentOf(`operator ${index}`));

function draw(eligible: readonly Enrolment[], policy: Partial<Policy> = {}, seed = "root", attempt = 1) {
  const seedRoot = hashFromSha256(digestOf(seed));
  return drawCommittee({ seedRoot, target: digestOf("target"), attempt, eligible, policy: { ...defaultPolicy, ...policy } });
}

function valuesAmong(committee: readonly string[], eligible: readonly Enrolment[], group: keyof Groups): number {
  const members = eligible.filter(({ operator }) => committee.includes(operator));
  return new Set(members.map(({ groups }) => groups[group]).filter((value) => value !== undefined)).size;
}

describe("drawing a committee", () => {
  test("everybody draws the same, whatever order the operators come in", () => {
    expect(draw(operators.toReversed())).toEqual(draw(operators));
  });

  test("the draw is the published one", () => {
    // Fixed, so that a change of the rule, which would make old logs fail their replay, does not pass unseen.
    const { committee } = draw(operators);
    expect(committee).toMatchInlineSnapshot(`
      [
        "32773323f8f8e6e5ddcaeaca5edf852c",
        "ed2bdaa5e4dbc3923d2ccb658d221d07",
        "e9173d57066122dece15b80f5805e870",
      ]
    `);
  });

  test("every operator is in the committee or stands in, once", () => {
    const { committee, standIns } = draw(operators);
    expect(committee).toHaveLength(3);
    expect(new Set([...committee, ...standIns])).toEqual(new Set(operators.map(({ operator }) => operator)));
    expect(committee.length + standIns.length).toBe(operators.length);
  });

  test("another root, attempt or target draws another committee", () => {
    const committees = [draw(operators), draw(operators, {}, "other"), draw(operators, {}, "root", 2)].map(({ committee }) =>
      committee.join(),
    );
    expect(new Set(committees).size).toBe(3);
  });

  test("every operator is drawn about as often as the others", () => {
    const drawn = new Map<string, number>();
    for (let seed = 0; seed < 1200; seed += 1) {
      for (const operator of draw(operators, {}, `seed ${seed}`).committee) drawn.set(operator, (drawn.get(operator) ?? 0) + 1);
    }
    // 300 expected each; five standard deviations are 75.
    expect(Math.min(...drawn.values())).toBeGreaterThan(225);
    expect(Math.max(...drawn.values())).toBeLessThan(375);
  });

  test("fewer operators than seats make a smaller committee", () => {
    expect(draw(operators.slice(0, 2)).committee).toHaveLength(2);
    expect(draw([])).toEqual({ committee: [], standIns: [] });
  });

  test("a diversity rule that the operators can satisfy is satisfied, without leaving a seat empty", () => {
    const groups = fc.record({ country: fc.constantFrom("SE", "SE", "SE", "FR", "DE") }, { requiredKeys: [] });
    fc.assert(
      fc.property(fc.array(groups, { minLength: 1, maxLength: 9 }), fc.integer({ min: 2, max: 4 }), fc.string(), (all, distinct, seed) => {
        const eligible = all.map((of, index) => enrolmentOf(`operator ${index}`, of));
        const { committee } = draw(eligible, { diversity: [{ group: "country", distinct }], committeeSize: 4 }, seed);
        expect(committee).toHaveLength(Math.min(4, eligible.length));
        const possible = Math.min(
          distinct,
          valuesAmong(
            eligible.map(({ operator }) => operator),
            eligible,
            "country",
          ),
        );
        expect(valuesAmong(committee, eligible, "country")).toBeGreaterThanOrEqual(possible);
      }),
    );
  });

  test("operators that count once together do not take two seats while others are left", () => {
    const eligible = [...operators.slice(0, 6).map((operator) => ({ ...operator, groups: { funder: "F" } })), ...operators.slice(6, 8)];
    for (let seed = 0; seed < 30; seed += 1) {
      const { committee } = draw(eligible, { countOnceBy: ["funder"] }, `seed ${seed}`);
      expect(eligible.filter(({ operator, groups }) => committee.includes(operator) && groups.funder === "F")).toHaveLength(1);
    }
  });
});

test("an operator builds the architectures that it enrolled for; `all` is one of them", () => {
  const enrolment = enrolmentOf("ada");
  expect(canBuild(enrolment, sampleTarget)).toBe(true);
  expect(canBuild({ ...enrolment, architectures: ["amd64"] }, sampleTarget)).toBe(false);
  expect(canBuild({ ...enrolment, architectures: ["amd64"] }, { architecture: "amd64" })).toBe(true);
});
