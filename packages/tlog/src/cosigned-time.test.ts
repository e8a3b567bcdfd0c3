import { expect, test } from "vitest";
import { cosignedTime, decideFreshness } from "./cosigned-time.ts";
import { testLog, testWitnesses } from "./cosigned.fixture.ts";
import type { WitnessPolicy } from "./tlog-policy.ts";

const witnesses = testWitnesses.slice(0, 3).map(({ key }) => ({ name: key.name, key }));
const members = witnesses.map(({ name }) => name);
const policy: WitnessPolicy = { logs: [{ key: testLog.key }], witnesses, groups: [{ name: "two", threshold: 2, members }], quorum: "two" };
const seen = (...times: number[]) => times.map((time, at) => ({ name: members[at] ?? "", time }));

test("a checkpoint is as old as the quorum that saw it last: no single witness makes it younger", () => {
  expect(cosignedTime(policy, seen(100, 200, 900))).toBe(200);
  expect(cosignedTime(policy, seen(100))).toBeUndefined();
  expect(cosignedTime({ ...policy, quorum: "none" }, seen(100, 200))).toBeUndefined();
});

test.each([
  ["fresh", 1000 + 3600],
  ["stale", 1000 + 3601],
  ["fresh", 1000 - 300],
  ["ahead", 1000 - 301],
])("it is %s at second %d", (kind, now) => {
  const claim = { policy, witnesses: seen(1000, 1000, 10), now: new Date(now * 1000), freshnessSeconds: 3600 };
  expect(decideFreshness(claim).kind).toBe(kind);
});
