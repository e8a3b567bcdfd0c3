import { array, assert, integer, property } from "fast-check";
import { expect, test } from "vitest";
import { createAllowance } from "./message-allowance.ts";

test("no sender gets more than its rate and one burst, however its messages are spread, and whoever sends slowly loses none", () => {
  assert(
    property(array(integer({ min: 0, max: 400 }), { maxLength: 300 }), (pauses) => {
      let now = 0;
      const { take } = createAllowance({ perSecond: 10, burst: 5, now: () => now });
      let taken = 0;
      for (const pause of pauses) {
        now += pause;
        if (take("eager")) taken += 1;
        else expect(pause).toBeLessThan(100);
      }
      expect(taken).toBeLessThanOrEqual(5 + (now / 1000) * 10);
    }),
  );
});

test("one sender's flood takes nothing from another", () => {
  const { take } = createAllowance({ perSecond: 1, burst: 2, now: () => 0 });
  expect([1, 2, 3].map(() => take("flood"))).toEqual([true, true, false]);
  expect(take("other")).toBe(true);
});
