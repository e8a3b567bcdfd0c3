import { operatorIdOf } from "@quorate/protocol/operator";
import { utf8 } from "@quorate/protocol/utf8";
import { expect, test } from "vitest";
import { type Explained, explainRound } from "./explain-round.ts";

const start = new Date("2026-11-23T08:00:00Z");
const after = (seconds: number) => new Date(start.getTime() + seconds * 1000);
const explain = (round: Partial<Explained>) => explainRound({ state: "building", failures: 0, jobs: [], ...round }, after(200), 120);
const job = (operatorName: string, facts: Partial<Explained["jobs"][number]> = {}) => ({
  job: operatorName,
  operatorName,
  operator: operatorIdOf(utf8(operatorName)),
  publishedAt: start,
  heardAt: after(190),
  ...facts,
});

test("a step that failed is why, with its reason, and when it is tried again", () => {
  expect(explain({ failures: 3, reason: "the log does not answer", nextTryAt: after(210) })).toEqual({
    stuck: true,
    why: "its step failed 3 times in a row: the log does not answer; it is tried again at 2026-11-23T08:03:30.000Z",
  });
});

test("a round that is planned is stuck when it says why it waits", () => {
  expect(explain({ state: "planned" })).toMatchObject({ stuck: false });
  expect(explain({ state: "planned", reason: "waiting for operators" })).toEqual({ stuck: true, why: "waiting for operators" });
});

test("a round that builds waits for those who build, and is stuck when nothing is heard of one", () => {
  const jobs = [job("ada", { committedAt: after(60) }), job("bert", { startedAt: after(1) }), job("cyd")];
  expect(explain({ jobs, commitBy: after(3600) })).toEqual({
    stuck: false,
    why: "waits for bert (building), cyd (not started); until 2026-11-23T09:00:00.000Z",
  });
  const silent = job("dora", { startedAt: after(1), heardAt: after(2) });
  expect(explain({ jobs: [...jobs, silent, job("eve", { outcome: "declined" })] })).toEqual({
    stuck: true,
    why: "waits for bert (building), cyd (not started); nothing is heard of dora; eve declined",
  });
});

test("a round that reveals waits for those who have not", () => {
  const jobs = [job("ada", { committedAt: after(60), revealedAt: after(70) }), job("bert", { committedAt: after(60) })];
  expect(explain({ state: "revealing", jobs })).toEqual({ stuck: false, why: "waits for the reveals of bert" });
});
