import { sha256Of } from "@quorate/protocol/digest";
import { operatorIdOf } from "@quorate/protocol/operator";
import { utf8 } from "@quorate/protocol/utf8";
import { expect, test } from "vitest";
import { type JobFacts, nextTryAt, planStep, type RoundFacts } from "./plan.ts";

const silenceSeconds = 120;
const start = new Date("2026-11-23T08:00:00Z");
const after = (seconds: number) => new Date(start.getTime() + seconds * 1000);
const [ada, bert, cyd, dora, eve] = ["ada", "bert", "cyd", "dora", "eve"].map((name) => operatorIdOf(utf8(name))) as [
  never,
  never,
  never,
  never,
  never,
];

type Facts = Partial<JobFacts>;
const published = { publishedAt: start };
const started = { ...published, startedAt: after(1), heardAt: after(1) };
const committed = { ...started, committedAt: after(60) };
const revealed = { ...committed, revealedAt: after(61), outcome: "built" as const };
const declined = { ...published, outcome: "declined" as const };

function building(jobs: Facts[], standInsCalled = 0): RoundFacts {
  const operators = [ada, bert, cyd, dora, eve];
  const digest = sha256Of(utf8("any"));
  return {
    state: "building",
    statement: {
      target: digest,
      attempt: 1,
      policy: digest,
      seed: { size: 9, rootSha256: digest },
      committee: [ada, bert, cyd],
      standIns: [dora, eve],
      standInsCalled,
    },
    commitBy: after(3600),
    threshold: 2,
    jobs: jobs.map((job, rank) => ({ job: `job ${rank}`, operator: operators[rank] ?? eve, ...job })),
  };
}
const revealing = (jobs: Facts[]): RoundFacts => ({ ...building(jobs), state: "revealing", revealBy: after(660) });
const kindAt = (facts: RoundFacts, seconds: number) => planStep(facts, after(seconds), silenceSeconds).kind;

test("jobs that are not handed out come first", () => {
  const step = planStep(building([published, {}, {}]), after(1), silenceSeconds);
  expect(step).toMatchObject({ kind: "publish", jobs: [{ operator: bert }, { operator: cyd }] });
});

test("the reveal starts when all members have committed", () => {
  expect(kindAt(building([committed, committed, started]), 60)).toBe("wait");
  expect(kindAt(building([committed, committed, committed]), 60)).toBe("start-reveal");
});

test("at the commit deadline the reveal starts if k have committed, and the round closes if not", () => {
  const stillHeard = { ...started, heardAt: after(3599) };
  expect(kindAt(building([committed, committed, stillHeard]), 3599)).toBe("wait");
  expect(kindAt(building([committed, committed, stillHeard]), 3600)).toBe("start-reveal");
  expect(kindAt(building([committed, stillHeard, stillHeard]), 3600)).toBe("close");
});

test("a stand-in is called for a member that declines, in rank order, and once", () => {
  expect(planStep(building([started, started, declined]), after(2), silenceSeconds)).toEqual({ kind: "call-stand-in", operator: dora });
  expect(kindAt(building([started, started, declined, published], 1), 2)).toBe("wait");
  const next = planStep(building([started, started, declined, declined], 1), after(2), silenceSeconds);
  expect(next).toEqual({ kind: "call-stand-in", operator: eve });
});

test("a stand-in is called for a member that has not started within the silence limit, or falls silent later", () => {
  expect(kindAt(building([started, { ...started, heardAt: after(100) }, published]), 119)).toBe("wait");
  const busy = { ...started, heardAt: after(119) };
  expect(kindAt(building([busy, busy, published]), 120)).toBe("call-stand-in");
  expect(kindAt(building([busy, busy, { ...started, heardAt: after(50) }]), 170)).toBe("call-stand-in");
});

test("silent members are not waited for when k others have committed and no stand-in is left", () => {
  const facts = building([committed, committed, published]);
  const alone = facts.statement ? { ...facts, statement: { ...facts.statement, standIns: [] } } : facts;
  expect(kindAt(alone, 119)).toBe("wait");
  expect(kindAt(alone, 121)).toBe("start-reveal");
});

test("with fewer than k, silent members are waited for until the deadline, members that declined are not", () => {
  const facts = building([committed, declined, declined]);
  const alone = facts.statement ? { ...facts, statement: { ...facts.statement, standIns: [] } } : facts;
  expect(kindAt(alone, 120)).toBe("close");
  const oneSilent = { ...alone, jobs: [...alone.jobs.slice(0, 2), { job: "job 2", operator: cyd, ...published }] };
  expect(kindAt(oneSilent, 3000)).toBe("wait");
});

test("reveals are asked for until every committed member has revealed or the deadline passes", () => {
  expect(planStep(revealing([revealed, committed, started]), after(70), silenceSeconds)).toMatchObject({
    kind: "ask-reveal",
    jobs: [{ operator: bert }],
  });
  expect(kindAt(revealing([revealed, revealed, started]), 70)).toBe("close");
  expect(kindAt(revealing([revealed, committed, committed]), 660)).toBe("close");
});

test("a member whose result was refused for good is not asked again", () => {
  expect(kindAt(revealing([revealed, revealed, { ...committed, outcome: "declined" }]), 70)).toBe("close");
});

test("a settled round needs nothing", () => {
  expect(kindAt({ ...building([]), state: "settled" }, 0)).toBe("nothing");
});

test("a failing step is tried again after 1, 2, 4 … at most 60 seconds", () => {
  const seconds = [1, 2, 3, 7, 40].map((failures) => (nextTryAt(failures, start).getTime() - start.getTime()) / 1000);
  expect(seconds).toEqual([1, 2, 4, 60, 60]);
});
