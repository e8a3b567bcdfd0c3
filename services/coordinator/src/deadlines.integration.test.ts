import { defaultPolicy } from "@quorate/protocol/policy";
import { textOf } from "@quorate/protocol/utf8";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestNetwork, type TestNetwork } from "./network.fixture.ts";
import { replayLog } from "./replay.fixture.ts";
import { submitted } from "./submitted.fixture.ts";
import type { TestOperator } from "./test-operator.fixture.ts";

const sources = ["alpha", "beta", "gamma", "delta"].map((source) => ({ source, version: "1.0", architecture: "all" as const }));
const policy = { ...defaultPolicy, commitDeadlineSeconds: 6, revealDeadlineSeconds: 2 };
let network: TestNetwork;
let operators: [TestOperator, TestOperator, TestOperator];
beforeAll(async () => {
  network = await startTestNetwork({ sources, policy, options: { silenceSeconds: 60 } });
  operators = [await network.enrol("Ada"), await network.enrol("Bert"), await network.enrol("Cyd")];
});
afterAll(() => network[Symbol.asyncDispose]());

test("at the commit deadline the round goes on with those who have committed", async () => {
  const round = await submitted(network, "alpha");
  const [ada, bert, cyd] = operators;
  const late = await cyd.takeJob();
  await Promise.all([ada.work(), bert.work()]);
  const { verdict, jobs } = await round.settled();
  expect(verdict).toMatchObject({ outcome: "reproduced" });
  expect(verdict?.inputs).toHaveLength(2);
  expect(jobs.find(({ operator }) => operator === cyd.id)?.committedAt).toBeUndefined();
  await late.ack();
});

test("with fewer than k commitments at the deadline the verdict is `inconclusive`, and another submission makes another attempt", async () => {
  const round = await submitted(network, "beta");
  const [ada, bert, cyd] = operators;
  const jobs = await Promise.all(operators.map((operator) => operator.takeJob()));
  const [job] = jobs;
  const result = job && (await ada.signResult(job));
  if (job && result) await ada.report(job, { kind: "commitment", envelope: textOf(ada.signCommitment(job, result)) });
  const settled = await round.settled();
  expect(settled).toMatchObject({ attempt: 1, verdict: { outcome: "inconclusive" } });
  for (const job of jobs) await job.ack();

  const again = await submitted(network, "beta");
  await Promise.all([ada.work(), bert.work(), cyd.work()]);
  expect(await again.settled()).toMatchObject({
    attempt: 2,
    verdict: { outcome: "reproduced", supersedes: settled.verdictIndex },
  });
});

test("a committed result that is not revealed in time is left out, and the rest decides", async () => {
  const round = await submitted(network, "gamma");
  const [ada, bert, cyd] = operators;
  const job = await cyd.takeJob();
  await cyd.report(job, { kind: "commitment", envelope: textOf(cyd.signCommitment(job, await cyd.signResult(job))) });
  await Promise.all([ada.work(), bert.work()]);
  const { verdict } = await round.settled();
  expect(verdict).toMatchObject({ outcome: "reproduced", dissent: [] });
  expect(verdict?.inputs.map(({ operator }) => operator).sort()).toEqual([ada.id, bert.id].sort());
  await job.ack();
});

test("a stand-in is called for a member that never starts", async () => {
  await network.restart({ silenceSeconds: 1 });
  const everyone = [...operators, await network.enrol("Dora")];
  const round = await submitted(network, "delta");
  const { jobs } = await round.once(({ state }) => state === "building");
  const absent = everyone.find(({ id }) => jobs[0]?.operator === id);
  const present = everyone.filter((operator) => operator !== absent);
  await Promise.all(present.map((operator) => operator.work()));
  const settled = await round.settled();
  expect(settled).toMatchObject({ verdict: { outcome: "reproduced" } });
  expect(settled.jobs).toHaveLength(4);
});

test("whoever replays the log comes to the same verdicts", async () => {
  const { verdicts } = await replayLog(network.api);
  expect(verdicts.map(({ verdict }) => verdict.outcome)).toEqual(["reproduced", "inconclusive", "reproduced", "reproduced", "reproduced"]);
});
