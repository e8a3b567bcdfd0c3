import { rm } from "node:fs/promises";
import type { LeasedJob } from "@quorate/bus/worker-bus";
import { sha256Of } from "@quorate/protocol/digest";
import { defaultPolicy } from "@quorate/protocol/policy";
import { textOf, utf8 } from "@quorate/protocol/utf8";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestNetwork, type TestNetwork } from "../../services/coordinator/src/network.fixture.ts";
import { temporaryDirectory } from "../../services/coordinator/src/servers.fixture.ts";
import { submitted } from "../../services/coordinator/src/submitted.fixture.ts";
import type { TestOperator } from "../../services/coordinator/src/test-operator.fixture.ts";
import { collectingLogger, countsOf, play, readerOf, rebuiltDigest, signClaim, traceMadeBy, type Reader } from "./play.ts";

const names = ["lazy", "lazies", "traceless", "copied", "late", "silent", "switched", "stale", "first", "second"];
const policy = {
  ...defaultPolicy,
  trace: { ...defaultPolicy.trace, countTraceless: false },
  commitDeadlineSeconds: 8,
  revealDeadlineSeconds: 4,
};
const owned = new AsyncDisposableStack();
const { lines, logger } = collectingLogger();
let network: TestNetwork;
let ada: TestOperator;
let bert: TestOperator;
let cyd: TestOperator;
let reader: Reader;

beforeAll(async () => {
  const directory = await temporaryDirectory("adversaries");
  owned.defer(() => rm(directory, { recursive: true, force: true }));
  network = owned.use(
    await startTestNetwork({
      sources: names.map((source) => ({ source, version: "1.0", architecture: "all" as const })),
      policy,
      options: { logger },
    }),
  );
  [ada, bert, cyd] = [await network.enrol("Ada"), await network.enrol("Bert"), await network.enrol("Cyd")];
  reader = await readerOf(network, [ada, bert, cyd], directory);
});
afterAll(() => owned.disposeAsync());

/** Of a job's reports those that the coordinator's log says it refused, and the rule that each broke. */
const refusedOf = ({ message }: LeasedJob) =>
  lines.filter(({ msg, job }) => msg === "report refused" && job === message.job).map(({ report, rule }) => [report, rule]);
const reportsCounted = () => countsOf(network.url, "coordinator_reports_total");

test("lazy-operator", async () => {
  const round = await submitted(network, "lazy");
  const builds = { digestOf: rebuiltDigest };
  await Promise.all([play(network, ada, builds), play(network, bert, builds), play(network, cyd, { trace: traceMadeBy("imagination") })]);
  const settled = await round.settled();
  expect(settled.verdict).toMatchObject({ outcome: "mismatch" });
  expect(settled.verdict?.inputs.find(({ operator }) => operator === cyd.id)?.standing).toBe("trace-contradicted");
  expect(await reader.status(settled)).toContain("not counted: Cyd (its build trace contradicts the others')");
  expect(await reader.replay()).toMatchObject({ code: 0, report: { consistent: true } });
});

test("lazy-majority", async () => {
  const round = await submitted(network, "lazies");
  await Promise.all([
    play(network, ada, { digestOf: rebuiltDigest }),
    play(network, bert, { trace: traceMadeBy("imagination") }),
    play(network, cyd, { trace: traceMadeBy("another imagination") }),
  ]);
  const settled = await round.settled();
  expect(settled.verdict?.outcome).toBe("inconclusive");
  expect(settled.verdict?.artifacts.map(({ digests }) => digests)).toEqual([[]]);
  const status = await reader.status(settled);
  expect(status).toContain(": inconclusive: 0 of the 2 operators needed agree on lazies_1.0_all.deb; 3 trace-contradicted");
  for (const name of ["Ada", "Bert", "Cyd"]) expect(status).toContain(`not counted: ${name} (its build trace contradicts the others')`);
  expect(await reader.replay()).toMatchObject({ code: 0, report: { consistent: true } });
});

test("traceless-claim", async () => {
  const round = await submitted(network, "traceless");
  const builds = { digestOf: rebuiltDigest };
  await Promise.all([play(network, ada, builds), play(network, bert, builds), play(network, cyd, { trace: [] })]);
  const settled = await round.settled();
  expect(settled.verdict).toMatchObject({ outcome: "mismatch" });
  expect(settled.verdict?.inputs.find(({ operator }) => operator === cyd.id)?.standing).toBe("traceless");
  expect(await reader.status(settled)).toContain("not counted: Cyd (it gives no build trace to speak of)");
});

test("copier", async () => {
  const round = await submitted(network, "copied");
  const [original, copying] = await Promise.all([ada.takeJob(), cyd.takeJob()]);
  const result = await signClaim(network, ada, { job: original, claim: {} });
  // The digest is in the log before anyone can read what it is of.
  for (const [operator, job] of [
    [ada, original],
    [cyd, copying],
  ] as const) {
    await operator.report(job, { kind: "commitment", envelope: textOf(operator.signCommitment(job, result)) });
  }
  const honest = play(network, bert);
  await Promise.all([ada.untilReveal(original), cyd.untilReveal(copying)]);
  await ada.report(original, { kind: "result", envelope: textOf(result) });
  await cyd.report(copying, { kind: "result", envelope: textOf(result) });
  await Promise.all([honest, original.ack(), copying.ack()]);
  const settled = await round.settled();
  expect(settled.verdict).toMatchObject({ outcome: "reproduced" });
  expect(settled.verdict?.inputs.map(({ operator }) => operator).sort()).toEqual([ada.id, bert.id].sort());
  expect(await reader.status(settled)).toContain("committed, and never revealed: Cyd");

  const other = await submitted(network, "late");
  const late = await cyd.takeJob();
  await Promise.all([play(network, ada), play(network, bert)]);
  const seen = await signClaim(network, cyd, { job: late, claim: {} }).catch(() => utf8("nothing more is stored for a settled round"));
  await cyd.report(late, { kind: "commitment", envelope: textOf(cyd.signCommitment(late, seen)) });
  await late.ack();
  const { verdict, jobs } = await other.settled();
  expect(verdict).toMatchObject({ outcome: "reproduced" });
  expect(jobs.find(({ operator }) => operator === cyd.id)?.committedAt).toBeUndefined();
  expect(await reader.replay()).toMatchObject({ code: 0, report: { consistent: true } });
});

test("never-reveals", async () => {
  const round = await submitted(network, "silent");
  const job = await cyd.takeJob();
  const result = await signClaim(network, cyd, { job, claim: {} });
  await cyd.report(job, { kind: "commitment", envelope: textOf(cyd.signCommitment(job, result)) });
  await Promise.all([play(network, ada), play(network, bert), job.ack()]);
  const settled = await round.settled();
  expect(settled.verdict).toMatchObject({ outcome: "reproduced", dissent: [] });
  expect(await reader.status(settled)).toContain("committed, and never revealed: Cyd");
  const { code, report } = await reader.replay();
  expect(code).toBe(0);
  expect(report["verdicts"]).toContainEqual(expect.objectContaining({ round: settled.round, unrevealed: [cyd.id] }));
});

test("an operator's page counts what it left unrevealed and what did not count", async () => {
  const { exceptions, ...record } = await network.api.operatorRecord(cyd.id);
  expect(record).toMatchObject({ notCounted: 3, unrevealed: 2, dissenting: 0 });
  expect(exceptions.map(({ kind }) => kind)).toEqual(["unrevealed", "unrevealed", "not-counted", "not-counted", "not-counted"]);
  expect(await network.api.operatorRecord(ada.id)).toMatchObject({ unrevealed: 0, notCounted: 1 });
});

test("reveals-another", async () => {
  const round = await submitted(network, "switched");
  const job = await cyd.takeJob();
  const committed = await signClaim(network, cyd, { job, claim: { digestOf: rebuiltDigest } });
  await cyd.report(job, { kind: "commitment", envelope: textOf(cyd.signCommitment(job, committed)) });
  const honest = [play(network, ada), play(network, bert)];
  await cyd.untilReveal(job);
  const another = await signClaim(network, cyd, { job, claim: {} });
  await cyd.report(job, { kind: "result", envelope: textOf(another) });
  await Promise.all([...honest, job.ack()]);
  const settled = await round.settled();
  expect(settled.verdict).toMatchObject({ outcome: "reproduced", dissent: [] });
  expect(settled.verdict?.inputs.map(({ envelope }) => envelope)).not.toContain(sha256Of(another));
  expect(await reader.status(settled)).toContain("committed, and never revealed: Cyd");
  const { report } = await reader.replay();
  expect(report["verdicts"]).toContainEqual(expect.objectContaining({ round: settled.round, unrevealed: [cyd.id] }));
});

test("stale-fence", async () => {
  const round = await submitted(network, "stale");
  const lost = await cyd.takeJob();
  const stale = await signClaim(network, cyd, { job: lost, claim: { digestOf: rebuiltDigest } });
  lost.giveBack(0);
  const job = await cyd.takeJob();
  expect(job.fence).toBeGreaterThan(lost.fence);
  await cyd.report(job, { kind: "started" });
  await cyd.report(lost, { kind: "commitment", envelope: textOf(cyd.signCommitment(lost, stale)) });
  const result = await signClaim(network, cyd, { job, claim: {} });
  await cyd.report(job, { kind: "commitment", envelope: textOf(cyd.signCommitment(job, result)) });
  const honest = [play(network, ada), play(network, bert)];
  await cyd.untilReveal(job);
  await cyd.report(lost, { kind: "result", envelope: textOf(stale) });
  await cyd.report(job, { kind: "result", envelope: textOf(result) });
  await Promise.all([...honest, job.ack()]);
  const settled = await round.settled();
  expect(settled.verdict).toMatchObject({ outcome: "reproduced", dissent: [] });
  expect(settled.verdict?.inputs.find(({ operator }) => operator === cyd.id)?.envelope).toBe(sha256Of(result));
  expect(refusedOf(job)).toEqual(["commitment", "result"].map((kind) => [kind, "stale-fence"]));
  const counted = Object.fromEntries(["commitment", "result"].map((kind) => [`kind="${kind}",outcome="stale-fence"`, 1]));
  expect(await reportsCounted()).toMatchObject(counted);
});

test("old-result", async () => {
  const first = await submitted(network, "first");
  const [, , old] = await Promise.all([play(network, ada), play(network, bert), play(network, cyd)]);
  await first.settled();
  const before = await reportsCounted();
  const round = await submitted(network, "second");
  const job = await cyd.takeJob();
  await cyd.report(job, { kind: "commitment", envelope: textOf(cyd.signCommitment(job, old)) });
  const honest = [play(network, ada), play(network, bert)];
  await cyd.untilReveal(job);
  await cyd.report(job, { kind: "result", envelope: textOf(old) });
  await Promise.all([...honest, job.ack()]);
  const settled = await round.settled();
  expect(settled.verdict).toMatchObject({ outcome: "reproduced" });
  expect(settled.verdict?.inputs.map(({ operator }) => operator)).not.toContain(cyd.id);
  expect(await reader.status(settled)).toContain("committed, and never revealed: Cyd");
  expect(refusedOf(job)).toEqual([["result", "not-this-job"]]);
  const label = 'kind="result",outcome="not-this-job"';
  expect((await reportsCounted())[label]).toBe((before[label] ?? 0) + 1);
});
