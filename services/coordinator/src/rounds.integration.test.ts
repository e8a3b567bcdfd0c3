import { type Sha256, sha256Of } from "@quorate/protocol/digest";
import type { Policy } from "@quorate/protocol/policy";
import type { RoundView } from "@quorate/protocol/submission";
import { textOf, utf8 } from "@quorate/protocol/utf8";
import { verifyNoteSignature } from "@quorate/signing/note-key";
import { signStatement } from "@quorate/signing/envelope";
import { loadP256Key, type P256Signer, verifyP256 } from "@quorate/signing/p256-key";
import { parseTlogPolicy } from "@quorate/tlog/tlog-policy";
import { parseProof } from "@quorate/verdict/proof";
import { verifyProof } from "@quorate/verdict/verify-proof";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestNetwork, type TestNetwork } from "./network.fixture.ts";
import { replayLog } from "./replay.fixture.ts";
import { submitted } from "./submitted.fixture.ts";
import type { TestOperator } from "./test-operator.fixture.ts";

const names = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"];
const sources = names.map((source) => ({ source, version: "1.0", architecture: "all" as const }));
let network: TestNetwork;
let operators: TestOperator[];
beforeAll(async () => {
  network = await startTestNetwork({ sources });
  operators = [];
  for (const name of ["Ada", "Bert", "Cyd"]) operators.push(await network.enrol(name));
});
afterAll(() => network[Symbol.asyncDispose]());

const committed = (count: number) => (round: RoundView) => round.jobs.filter(({ committedAt }) => committedAt).length === count;
const otherDigest = (published: Sha256) => sha256Of(utf8(`not ${published}`));

test("three operators that build what was published reach `reproduced`", async () => {
  const round = await submitted(network, "alpha");
  const jobs = await Promise.all(operators.map((operator) => operator.work()));
  expect(jobs.map(({ fence }) => fence)).toEqual([1, 1, 1]);
  const settled = await round.settled();
  expect(settled).toMatchObject({ state: "settled", verdict: { outcome: "reproduced", dissent: [] } });
  expect(settled.jobs).toHaveLength(3);
  expect(settled.jobs.map(({ phase, outcome }) => `${phase} ${outcome}`)).toEqual(Array(3).fill("revealed built"));
});

test("what was submitted before is the same submission, and no second round", async () => {
  const submit = () => network.api.submit({ distribution: "debian", suite: "small", source: "alpha" });
  const [first, second] = [await submit(), await submit()];
  expect(second).toEqual(first);
  expect(second.rounds).toHaveLength(1);
});

test("two that agree on other bytes than those published are a `mismatch`, and the third is named as dissenter", async () => {
  const round = await submitted(network, "beta");
  const [ada, bert, cyd] = operators;
  await Promise.all([ada?.work({ digestOf: otherDigest }), bert?.work({ digestOf: otherDigest }), cyd?.work()]);
  const { verdict } = await round.settled();
  expect(verdict).toMatchObject({ outcome: "mismatch", dissent: [cyd?.id] });
});

test("an older fence, a forged signature, and a result other than the committed one are refused; the right one then counts", async () => {
  const round = await submitted(network, "gamma");
  const [ada, bert, cyd] = operators as [TestOperator, TestOperator, TestOperator];
  const others = [bert.work(), cyd.work()];
  const lost = await ada.takeJob();
  lost.giveBack(0);
  const job = await ada.takeJob();
  expect(job.fence).toBe(2);
  await ada.report(job, { kind: "started" });
  const result = await ada.signResult(job);

  // From the worker that has lost the job.
  await ada.report(lost, { kind: "commitment", envelope: textOf(ada.signCommitment(lost, utf8("stale"), 1)) });
  // Signed by another operator's key.
  await ada.report(job, { kind: "commitment", envelope: textOf(bert.signCommitment(job, utf8("forged"))) });
  await ada.report(job, { kind: "commitment", envelope: textOf(ada.signCommitment(job, result)) });
  await ada.untilReveal(job);
  const another = await ada.signResult(job, { digestOf: otherDigest });
  await ada.report(job, { kind: "result", envelope: textOf(another) });
  await ada.report(job, { kind: "result", envelope: textOf(await bert.signResult(job)) });
  await ada.report(job, { kind: "result", envelope: textOf(result) });
  await Promise.all(others);
  await job.ack();

  const { verdict } = await round.settled();
  expect(verdict).toMatchObject({ outcome: "reproduced", dissent: [] });
  expect(verdict?.inputs.map(({ envelope }) => envelope)).toContain(sha256Of(result));
});

test("a round goes on after the coordinator was restarted in the middle of it", async () => {
  const round = await submitted(network, "delta");
  const [ada, bert, cyd] = operators as [TestOperator, TestOperator, TestOperator];
  const early = [ada.work(), bert.work()];
  const late = await cyd.takeJob();
  await round.once(committed(2));
  await network.restart();
  const result = await cyd.signResult(late);
  await cyd.report(late, { kind: "commitment", envelope: textOf(cyd.signCommitment(late, result)) });
  await cyd.untilReveal(late);
  await network.restart();
  await cyd.report(late, { kind: "result", envelope: textOf(result) });
  await Promise.all([...early, late.ack()]);
  expect(await round.settled()).toMatchObject({ verdict: { outcome: "reproduced", dissent: [] } });
});

test("a round goes on after Redis was wiped in the middle of it, without a restart", async () => {
  const round = await submitted(network, "epsilon");
  const [ada, bert, cyd] = operators as [TestOperator, TestOperator, TestOperator];
  const early = [ada.work(), bert.work()];
  const late = await cyd.takeJob();
  await round.once(committed(2));
  await network.wipeRedis();
  const result = await cyd.signResult(late);
  await cyd.report(late, { kind: "commitment", envelope: textOf(cyd.signCommitment(late, result)) });
  await cyd.untilReveal(late);
  await network.wipeRedis();
  await cyd.report(late, { kind: "result", envelope: textOf(result) });
  await Promise.all([...early, late.ack()]);
  expect(await round.settled()).toMatchObject({ verdict: { outcome: "reproduced", dissent: [] } });
});

test("a member that declines is replaced by a stand-in, and its reason is shown", async () => {
  operators.push(await network.enrol("Dora"));
  const everyone = operators;
  const round = await submitted(network, "zeta");
  const drawn = await round.once(({ state }) => state === "building");
  const standIn = everyone.find(({ id }) => !drawn.jobs.some(({ operator }) => operator === id));
  const members = everyone.filter((operator) => operator !== standIn);
  const [unwilling, ...willing] = members as [TestOperator, ...TestOperator[]];
  const job = await unwilling.takeJob();
  await unwilling.report(job, { kind: "declined", reason: "no space left" });
  await job.ack();
  await Promise.all([...willing, ...(standIn ? [standIn] : [])].map((operator) => operator.work()));
  const settled = await round.settled();
  expect(settled).toMatchObject({ verdict: { outcome: "reproduced" } });
  expect(settled.jobs).toHaveLength(4);
  const declined = settled.jobs.find(({ operator }) => operator === unwilling.id);
  expect(declined).toMatchObject({ outcome: "declined", activity: "no space left" });
});

test("the next version of the policy is taken from whoever has the network's key, and rounds drawn from then on are under it", async () => {
  const key = loadP256Key(network.config.NETWORK_KEY_FILE);
  const sign = (policy: Policy, signer: Pick<P256Signer, "sign"> = key) => textOf(signStatement({ kind: "policy", policy }, [signer]));
  const [first] = await network.api.policies();
  if (first === undefined) throw new Error("the network has no policy");
  const next = { ...first.policy, version: 2, committeeSize: 4 };
  const [ada] = operators as [TestOperator, ...TestOperator[]];
  await expect(network.api.publishPolicy(sign(next, ada.signer))).rejects.toMatchObject({ status: 422 });
  await expect(network.api.publishPolicy(sign({ ...next, version: 3 }))).rejects.toThrow(/publish version 2/);
  await expect(network.api.publishPolicy(sign({ ...next, threshold: 5 }))).rejects.toThrow(/committeeSize must be at least threshold/);
  const drawnBefore = await submitted(network, "theta");
  const { jobs: jobsBefore } = await drawnBefore.once(({ committeeDrawnAt }) => committeeDrawnAt !== undefined);
  const members = operators.filter(({ id }) => jobsBefore.some(({ operator }) => operator === id));
  const published = await network.api.publishPolicy(sign(next));
  expect(await network.api.publishPolicy(sign(next))).toEqual(published);
  expect(await network.api.policies()).toEqual([published, first]);
  expect(await network.api.network()).toMatchObject({ policy: next, policyDigest: published.digest });

  expect(await drawnBefore.once(() => true)).toMatchObject({ state: "building", policy: first.digest });
  await Promise.all(members.map((operator) => operator.work()));
  expect((await drawnBefore.settled()).verdict).toMatchObject({ outcome: "reproduced", policy: first.digest });
  const round = await submitted(network, "eta");
  await Promise.all(operators.map((operator) => operator.work()));
  const { jobs, verdict } = await round.settled();
  expect(jobs).toHaveLength(4);
  expect(verdict).toMatchObject({ outcome: "reproduced", policy: published.digest });
  await network.restart();
  expect(await network.api.policies()).toEqual([published, first]);
});

test("the proof of a reproduced artifact verifies offline, under the reader's own policy", async () => {
  const { networkKey, witnessPolicy } = await network.api.network();
  const [artifact] = await network.api.artifacts({ name: "alpha" });
  const sha256 = artifact?.sha256 ?? otherDigest(sha256Of(utf8("")));
  const proof = parseProof(await network.api.proof(sha256));
  const policy = {
    witnessPolicy: parseTlogPolicy(witnessPolicy),
    network: { name: "test", key: Buffer.from(networkKey, "base64") },
    operators: operators.map(({ id, signer }) => ({ name: id, id, key: signer.spki })),
    threshold: 2,
  };
  const chain = verifyProof({ proof, policy, artifactSha256: sha256, verify: verifyP256, verifyNoteSignature });
  expect(chain).toMatchObject({ verdictIndex: artifact?.verdictIndex, artifact: { file: "alpha_1.0_all.deb" } });
  expect(chain.operators.map(({ counted }) => counted)).toEqual([true, true, true]);
});

test("whoever replays the log comes to every verdict that the network logged", async () => {
  const { verdicts } = await replayLog(network.api);
  const outcomes = verdicts.map(({ verdict }) => verdict.outcome).sort();
  expect(outcomes).toEqual(["mismatch", ...Array<string>(outcomes.length - 1).fill("reproduced")]);
  expect(outcomes.length).toBeGreaterThanOrEqual(6);
});
