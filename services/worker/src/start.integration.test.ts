import { createHash } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseTrace } from "@quorate/attestation/build-trace";
import { parseLinks, verifyLink } from "@quorate/attestation/in-toto-link";
import { sha256Of } from "@quorate/protocol/digest";
import { textOf, utf8 } from "@quorate/protocol/utf8";
import { verifyNoteSignature } from "@quorate/signing/note-key";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startTestCoordinator, type TestCoordinator } from "./coordinator.fixture.ts";
import { builtOutcome, createEndlessExecutor, createInstantExecutor, failingOutcome } from "./executor.fixture.ts";

let coordinator: TestCoordinator;
beforeEach(async () => {
  coordinator = await startTestCoordinator();
});
afterEach(() => coordinator[Symbol.asyncDispose]());

/** Asks until it is heard: control messages are not kept. */
async function reveal(job: { job: string; round: string }, operator: Parameters<TestCoordinator["bus"]["sendControl"]>[0]) {
  const ask = (): void => coordinator.bus.sendControl(operator, { kind: "reveal", job: job.job, round: sha256Of(utf8("round one")) });
  const timer = setInterval(ask, 100);
  ask();
  try {
    return await coordinator.report("result");
  } finally {
    clearInterval(timer);
  }
}

test("a job becomes a commitment, and on demand the signed result that was committed to", async () => {
  await using worker = await coordinator.worker(createInstantExecutor());
  const job = await coordinator.publish(worker);
  expect(await coordinator.report("started")).toMatchObject({ job: job.job, fence: 1, operator: worker.operator });
  const commitment = await coordinator.report("commitment");
  const committed = coordinator.entry(commitment).statement;
  const revealed = await reveal(job, worker.operator);
  const entry = coordinator.entry(revealed);
  expect(committed).toMatchObject({ kind: "commitment", commitment: { fence: 1, envelope: entry.digest, operator: worker.operator } });
  expect(entry.statement).toMatchObject({
    kind: "result",
    result: {
      outcome: "built",
      target: job.target,
      round: job.round,
      operator: worker.operator,
      artifacts: [{ name: "mailgraph_1.14-20_all.deb", sha256: sha256Of(utf8("a package")) }],
      trace: { files: 1 },
    },
  });
});

test("every byproduct that a result names is a blob at the coordinator", async () => {
  await using worker = await coordinator.worker(createInstantExecutor());
  const job = await coordinator.publish(worker);
  const { statement } = coordinator.entry(await reveal(job, worker.operator));
  const byproducts = statement.kind === "result" ? statement.result.byproducts : [];
  expect(byproducts.map(({ kind }) => kind)).toEqual([
    "build-trace",
    "environment-lock",
    "build-log",
    "buildinfo",
    "in-toto-links",
    "manifest",
  ]);
  for (const { sha256, sizeBytes } of byproducts) expect(coordinator.blobs.get(sha256)).toHaveLength(sizeBytes);
  const trace = coordinator.blobs.get(byproducts[0]?.sha256 ?? "");
  expect(parseTrace(textOf(trace ?? new Uint8Array()))).toMatchObject([{ path: "main.o" }]);
});

test("beside a result go in-toto links that the enrolled link key verifies, one for each package file", async () => {
  await using worker = await coordinator.worker(createInstantExecutor());
  const job = await coordinator.publish(worker);
  const { statement } = coordinator.entry(await reveal(job, worker.operator));
  const byproducts = statement.kind === "result" ? statement.result.byproducts : [];
  const links = coordinator.blobs.get(byproducts.find(({ kind }) => kind === "in-toto-links")?.sha256 ?? "") ?? new Uint8Array();
  const link = parseLinks(textOf(links)).get("mailgraph_1.14-20_all.deb") ?? "";
  const sha512 = createHash("sha512").update("a package").digest("hex");
  expect(verifyLink(link, coordinator.linkKey(worker.operator), verifyNoteSignature)).toMatchObject({
    product: { name: "mailgraph_1.14-20_all.deb", sha256: sha256Of(utf8("a package")), sha512 },
    buildinfo: { name: "mailgraph.buildinfo" },
  });
});

test("a build that fails is a signed result too", async () => {
  await using worker = await coordinator.worker(createInstantExecutor(() => failingOutcome()));
  const job = await coordinator.publish(worker);
  const { statement } = coordinator.entry(await reveal(job, worker.operator));
  expect(statement).toMatchObject({ kind: "result", result: { outcome: "failed", failure: { reason: "build-failed", step: "build" } } });
});

test("an executor that breaks its contract is a signed failure of the infrastructure", async () => {
  await using worker = await coordinator.worker(
    createInstantExecutor(() => {
      throw new Error("no space\nleft");
    }),
  );
  const job = await coordinator.publish(worker);
  const { statement } = coordinator.entry(await reveal(job, worker.operator));
  expect(statement).toMatchObject({
    result: { outcome: "failed", failure: { reason: "infrastructure", message: "the executor failed: Error: no space left" } },
  });
});

test("a worker that was restarted after its commitment still reveals", async () => {
  const executor = createInstantExecutor();
  const first = await coordinator.worker(executor);
  const job = await coordinator.publish(first);
  const commitment = coordinator.entry(await coordinator.report("commitment")).statement;
  await first[Symbol.asyncDispose]();
  await using second = await coordinator.worker(executor);
  expect(second.operator).toBe(first.operator);
  const { digest } = coordinator.entry(await reveal(job, second.operator));
  expect(commitment).toMatchObject({ commitment: { envelope: digest } });
  expect(executor.builds).toBe(1);
});

test("a job that comes again after its result was stored is committed to again with the new fence, and not built again", async () => {
  const executor = createInstantExecutor();
  await using worker = await coordinator.worker(executor);
  const job = await coordinator.publish(worker);
  const first = coordinator.entry(await coordinator.report("commitment")).statement;
  await coordinator.publish(worker, { baseFence: 5 });
  const again = await coordinator.report("commitment");
  expect(again.fence).toBe(5);
  const second = coordinator.entry(again).statement;
  expect(first.kind === "commitment" && second.kind === "commitment" && first.commitment.envelope === second.commitment.envelope).toBe(
    true,
  );
  expect(second).toMatchObject({ commitment: { fence: 5 } });
  expect((await reveal(job, worker.operator)).fence).toBe(5);
  expect(executor.builds).toBe(1);
});

test("a result can be revealed a second time when the first report was lost", async () => {
  await using worker = await coordinator.worker(createInstantExecutor());
  const job = await coordinator.publish(worker);
  await coordinator.report("commitment");
  const first = await reveal(job, worker.operator);
  const second = await reveal(job, worker.operator);
  expect(second.envelope).toBe(first.envelope);
});

test("a worker that stops gives its job back, and the next one has a higher fence", async () => {
  const endless = createEndlessExecutor();
  const first = await coordinator.worker(endless);
  const job = await coordinator.publish(first);
  await endless.started;
  await first[Symbol.asyncDispose]();
  await using second = await coordinator.worker(createInstantExecutor());
  const commitment = await coordinator.report("commitment");
  expect(commitment).toMatchObject({ job: job.job, fence: 2, operator: second.operator });
});

test("a job that the coordinator cancels ends at once and is declined", async () => {
  const endless = createEndlessExecutor();
  await using worker = await coordinator.worker(endless);
  const { job, round } = await coordinator.publish(worker);
  await endless.started;
  coordinator.bus.sendControl(worker.operator, { kind: "cancel", job, round });
  expect(await coordinator.report("declined")).toMatchObject({ job, reason: "cancelled by the coordinator" });
});

test("a job whose deadline has passed is declined unbuilt", async () => {
  const executor = createInstantExecutor();
  await using worker = await coordinator.worker(executor);
  await coordinator.publish(worker, { commitBy: "2026-01-01T00:00:00Z" });
  expect(await coordinator.report("declined")).toMatchObject({ reason: "the deadline for commitments has passed" });
  expect(executor.builds).toBe(0);
});

test("a target that is not the one that the job names is not built", async () => {
  coordinator.target = { ...coordinator.target, version: "9.9-1" };
  const executor = createInstantExecutor();
  await using worker = await coordinator.worker(executor);
  await coordinator.publish(worker);
  expect((await coordinator.report("declined")).reason).toMatch(/instead of/);
  expect(executor.builds).toBe(0);
});

test("a coordinator that is away for a while is waited for", async () => {
  coordinator.refusals.push({ path: /^POST .v1.workers/, status: 503 });
  coordinator.refusals.push({ path: /^GET .v1.targets/, status: 502 }, { path: /^PUT .v1.blobs/, status: 503 });
  await using worker = await coordinator.worker(createInstantExecutor());
  const job = await coordinator.publish(worker);
  const { statement } = coordinator.entry(await reveal(job, worker.operator));
  expect(statement).toMatchObject({ result: { outcome: "built" } });
  expect(coordinator.refusals).toEqual([]);
});

test("a byproduct that the coordinator finds too large is left out of the result", async () => {
  coordinator.refusals.push({ path: /^PUT .v1.blobs/, status: 413 });
  await using worker = await coordinator.worker(createInstantExecutor());
  const job = await coordinator.publish(worker);
  const { statement } = coordinator.entry(await reveal(job, worker.operator));
  const kinds = statement.kind === "result" ? statement.result.byproducts.map(({ kind }) => kind) : [];
  expect(kinds).toEqual(["environment-lock", "build-log", "buildinfo", "in-toto-links", "manifest"]);
});

test("a registration that is refused ends the start", async () => {
  coordinator.refusals.push({ path: /^POST .v1.workers/, status: 403 });
  await expect(coordinator.worker(createInstantExecutor())).rejects.toThrow(/registering the worker/);
});

test("a paused worker takes no job, also after a restart, until it is resumed", async () => {
  const paused = join(coordinator.directory, "machine-paused", "paused");
  const executor = createInstantExecutor();
  const first = await coordinator.worker(executor, "paused");
  await writeFile(paused, "");
  await expect.poll(() => coordinator.statusOf("paused").state).toBe("paused");
  const job = await coordinator.publish(first);
  await first[Symbol.asyncDispose]();
  await using second = await coordinator.worker(executor, "paused");
  expect(coordinator.statusOf("paused").state).toBe("paused");
  expect(executor.builds).toBe(0);
  await rm(paused);
  expect(await coordinator.report("commitment")).toMatchObject({ job: job.job, operator: second.operator });
});

test("a worker for one job is finished when the result is revealed, and takes no second one", async () => {
  await using worker = await coordinator.worker(createInstantExecutor(), "once", { once: true });
  const job = await coordinator.publish(worker);
  const second = await coordinator.publish(worker, { round: sha256Of(utf8("another round")) });
  await reveal(job, worker.operator);
  await worker.finished;
  expect((await coordinator.report("commitment")).job).toBe(job.job);
  expect(coordinator.statusOf("once")).toMatchObject({ jobsCommitted: 1, unrevealed: 0 });
  await using other = await coordinator.worker(createInstantExecutor(), "other");
  expect((await coordinator.report("commitment")).job, `of ${other.operator}`).toBe(second.job);
});

test("the status counts results that are not revealed yet, also after a restart", async () => {
  const first = await coordinator.worker(createInstantExecutor(), "owing");
  expect(coordinator.statusOf("owing").unrevealed).toBe(0);
  const job = await coordinator.publish(first);
  await coordinator.report("commitment");
  expect(coordinator.statusOf("owing").unrevealed).toBe(1);
  await first[Symbol.asyncDispose]();
  await using second = await coordinator.worker(createInstantExecutor(), "owing");
  expect(coordinator.statusOf("owing").unrevealed).toBe(1);
  await reveal(job, second.operator);
  await expect.poll(() => coordinator.statusOf("owing").unrevealed).toBe(0);
});

test("two workers cannot share a data directory", async () => {
  await using worker = await coordinator.worker(createInstantExecutor());
  const second = coordinator.worker(createInstantExecutor());
  await expect(second, `beside ${worker.operator}`).rejects.toThrow(/opening/);
});

test("progress and log lines reach the coordinator", async () => {
  await using worker = await coordinator.worker(createInstantExecutor());
  await coordinator.publish(worker);
  await coordinator.report("commitment");
  await expect.poll(() => coordinator.live.flatMap(({ logLines = [] }) => logLines)).toContain("gcc -c main.c");
  expect(coordinator.live.at(-1)?.phase).toBe("committed");
});

test("a worker that stops while its result is being uploaded finishes first", async () => {
  coordinator.refusals.push({ path: /^PUT .v1.blobs/, status: 503 }, { path: /^PUT .v1.blobs/, status: 503 });
  const worker = await coordinator.worker(createInstantExecutor());
  await coordinator.publish(worker);
  await expect.poll(() => coordinator.refusals.length).toBeLessThan(2);
  await worker[Symbol.asyncDispose]();
  expect(await coordinator.report("commitment")).toMatchObject({ operator: worker.operator, fence: 1 });
});

test("of two workers of one operator the one that has the result reveals it", async () => {
  const [first, second] = [createInstantExecutor(), createInstantExecutor()];
  await using worker = await coordinator.worker(first, "one");
  await using other = await coordinator.worker(second, "two");
  expect(other.operator).toBe(worker.operator);
  const job = await coordinator.publish(worker);
  const { statement } = coordinator.entry(await coordinator.report("commitment"));
  const { digest } = coordinator.entry(await reveal(job, worker.operator));
  expect(statement).toMatchObject({ commitment: { envelope: digest } });
  expect(first.builds + second.builds).toBe(1);
});

test("a build goes on while NATS restarts, and its commitment arrives afterwards", async () => {
  const [started, finish] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const executor = createInstantExecutor(async (request) => {
    started.resolve();
    await finish.promise;
    return await builtOutcome(request);
  });
  await using worker = await coordinator.worker(executor);
  const job = await coordinator.publish(worker);
  await started.promise;
  await coordinator.restartTransport();
  finish.resolve();
  expect(await coordinator.report("commitment")).toMatchObject({ job: job.job, fence: 1 });
  expect(executor.builds).toBe(1);
});
