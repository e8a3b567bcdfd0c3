import { rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { CoordinatorBus } from "./coordinator-bus.ts";
import { startNatsServer } from "./nats-server.fixture.ts";
import { alice, bob, jobFor, startBusNetwork, startedReport } from "./network.fixture.ts";
import { startWire } from "./wire.fixture.ts";
import { createUserKey, mintUser } from "./user-credentials.ts";
import { connectWorkerBus, type WorkerBus } from "./worker-bus.ts";

const never = new AbortController().signal;

/** One job from publishing to acknowledgement, so that both ends are known to work. */
async function exchange(coordinator: CoordinatorBus, worker: WorkerBus): Promise<void> {
  await coordinator.publishJob(alice, "amd64", jobFor(alice, "exchange"));
  const job = await worker.nextJob(never);
  await job?.ack();
}

test("a job comes to its operator's worker and is gone once acknowledged", async () => {
  await using network = await startBusNetwork();
  await using coordinator = await network.coordinator();
  expect(await coordinator.ensureStreams()).toEqual(["JOBS", "REPORTS"]);
  expect(await coordinator.ensureStreams()).toEqual([]);
  await coordinator.ensureConsumer(alice);
  await coordinator.ensureConsumer(alice);
  await using worker = await network.worker(alice);
  const waiting = worker.nextJob(never);
  await coordinator.publishJob(alice, "amd64", jobFor(alice));
  const job = await waiting;
  expect(job?.message).toEqual(jobFor(alice));
  expect(job?.fence).toBe(1);
  await job?.ack();
  expect(await worker.nextJob(AbortSignal.timeout(300))).toBeUndefined();
});

test("a job that is published twice with one base fence is delivered once", async () => {
  await using network = await startBusNetwork();
  await using coordinator = await network.coordinator();
  await coordinator.ensureStreams();
  await coordinator.ensureConsumer(alice);
  await coordinator.publishJob(alice, "amd64", jobFor(alice));
  await coordinator.publishJob(alice, "amd64", jobFor(alice));
  await coordinator.publishJob(alice, "amd64", { ...jobFor(alice), baseFence: 7 });
  await using worker = await network.worker(alice);
  const fences = [];
  for (let n = 0; n < 2; n++) {
    const job = await worker.nextJob(never);
    fences.push(job?.fence);
    await job?.ack();
  }
  expect(fences).toEqual([1, 7]);
  expect(await worker.nextJob(AbortSignal.timeout(300))).toBeUndefined();
});

test("the job of a worker that died goes to the next one with a higher fence", async () => {
  await using network = await startBusNetwork();
  await using coordinator = await network.coordinator({}, 1);
  await coordinator.ensureStreams();
  await coordinator.ensureConsumer(alice);
  await coordinator.publishJob(alice, "amd64", jobFor(alice));
  {
    await using dying = await network.worker(alice);
    expect((await dying.nextJob(never))?.fence).toBe(1);
  }
  await using next = await network.worker(alice);
  expect((await next.nextJob(never))?.fence).toBe(2);
});

test("a job that is kept alive stays with its worker however long it takes", async () => {
  await using network = await startBusNetwork();
  await using coordinator = await network.coordinator({}, 1);
  await coordinator.ensureStreams();
  await coordinator.ensureConsumer(alice);
  await coordinator.publishJob(alice, "amd64", jobFor(alice));
  await using holder = await network.worker(alice);
  await using idle = await network.worker(alice);
  const job = await holder.nextJob(never);
  const heartbeat = setInterval(() => job?.keepAlive(), 200);
  expect(await idle.nextJob(AbortSignal.timeout(3_000))).toBeUndefined();
  clearInterval(heartbeat);
  expect((await idle.nextJob(never))?.fence).toBe(2);
});

test("a worker whose credentials expire goes on with those that it gets instead", async () => {
  await using network = await startBusNetwork();
  await using coordinator = await network.coordinator();
  await coordinator.ensureStreams();
  await coordinator.ensureConsumer(alice);
  const key = createUserKey();
  const { authority } = network;
  const mint = (seconds: number): Promise<string> =>
    mintUser({ authority, operator: alice, userKey: key.publicKey, expiresAt: new Date(Date.now() + seconds * 1000) });
  let jwt = await mint(3);
  const reconnected = Promise.withResolvers<void>();
  const events = { reconnected: reconnected.resolve };
  await using worker = await connectWorkerBus({ urls: [network.server.url], jwt: () => jwt, userSeed: key.seed, operator: alice, events });
  const waiting = worker.nextJob(never);
  jwt = await mint(3600);
  await reconnected.promise;
  await coordinator.publishJob(alice, "amd64", jobFor(alice));
  expect((await waiting)?.fence).toBe(1);
});

test("every delivery of a job has a higher fence than the one before", async () => {
  await using network = await startBusNetwork();
  await using coordinator = await network.coordinator();
  await coordinator.ensureStreams();
  await coordinator.ensureConsumer(alice);
  await coordinator.publishJob(alice, "amd64", { ...jobFor(alice), baseFence: 5 });
  {
    await using first = await network.worker(alice);
    const job = await first.nextJob(never);
    expect(job?.fence).toBe(5);
    job?.giveBack(0);
  }
  await using second = await network.worker(alice);
  const again = await second.nextJob(never);
  expect(again?.fence).toBe(6);
});

test("jobs survive a restart of the server", async () => {
  await using network = await startBusNetwork();
  await using coordinator = await network.coordinator();
  await coordinator.ensureStreams();
  await coordinator.ensureConsumer(alice);
  const reconnected = Promise.withResolvers<void>();
  await using worker = await network.worker(alice, { reconnected: () => reconnected.resolve() });
  await exchange(coordinator, worker);
  const waiting = worker.nextJob(never);
  const port = Number(new URL(network.server.url).port);
  await network.server[Symbol.asyncDispose]();
  network.server = await startNatsServer({ authority: network.authority, directory: join(network.directory, "nats"), port });
  await reconnected.promise;
  expect(await coordinator.ensureStreams()).toEqual([]);
  await coordinator.publishJob(alice, "amd64", jobFor(alice));
  expect((await waiting)?.message.job).toBe(jobFor(alice).job);
});

test("a server that comes back without its store gets its streams again, and reports and jobs flow as before", async () => {
  await using network = await startBusNetwork();
  const lost = Promise.withResolvers<string[]>();
  let started = false;
  await using coordinator = await network.coordinator({ storeLost: (streams) => (started ? lost.resolve(streams) : undefined) });
  const reported = { before: Promise.withResolvers<void>(), after: Promise.withResolvers<void>() };
  await coordinator.ensureStreams();
  await coordinator.ensureConsumer(alice);
  coordinator.reports(async (report) => (report.fence === 1 ? reported.before : reported.after).resolve());
  started = true;
  await using worker = await network.worker(alice);
  await exchange(coordinator, worker);
  await worker.report(startedReport(jobFor(alice), alice, 1), never);
  await reported.before.promise;
  const waiting = worker.nextJob(never);
  const port = Number(new URL(network.server.url).port);
  await network.server[Symbol.asyncDispose]();
  await rm(join(network.directory, "nats", "jetstream"), { recursive: true });
  network.server = await startNatsServer({ authority: network.authority, directory: join(network.directory, "nats"), port });
  expect(await lost.promise).toEqual(["JOBS", "REPORTS"]);
  await coordinator.ensureConsumer(alice);
  await coordinator.publishJob(alice, "amd64", jobFor(alice));
  const job = await waiting;
  expect(job?.message.job).toBe(jobFor(alice).job);
  await worker.report(startedReport(jobFor(alice), alice, 2), never);
  await reported.after.promise;
});

test("a worker that finds a new consumer when its connection comes back gets what waits there at once", async () => {
  await using network = await startBusNetwork();
  await using coordinator = await network.coordinator();
  await coordinator.ensureStreams();
  await coordinator.ensureConsumer(alice);
  await using wire = await startWire(network.server.url);
  const { jwt, seed } = await network.credentials(alice);
  await using worker = await connectWorkerBus({ urls: [wire.url], jwt: () => jwt, userSeed: seed, operator: alice });
  await exchange(coordinator, worker);
  const waiting = worker.nextJob(never);
  await wire.cut();
  const administrator = await network.administrator();
  await (await administrator.jetstreamManager()).streams.delete("JOBS");
  await administrator.close();
  await coordinator.ensureStreams();
  await coordinator.ensureConsumer(alice);
  await coordinator.publishJob(alice, "amd64", jobFor(alice));
  await wire.mend();
  // It came with the first delivery: what is lost comes with the second, when its lease has ended.
  expect((await waiting)?.fence).toBe(1);
});

test("control messages come to the operator's workers, progress to the coordinator", async () => {
  await using network = await startBusNetwork();
  await using coordinator = await network.coordinator();
  await using worker = await network.worker(alice);
  await using other = await network.worker(bob);
  const { job, round } = jobFor(alice);
  const heard = Promise.withResolvers<unknown>();
  const live = Promise.withResolvers<unknown>();
  const overheard: unknown[] = [];
  worker.control(heard.resolve);
  other.control((message) => overheard.push(message));
  coordinator.live(live.resolve);
  await expect
    .poll(() => (coordinator.sendControl(alice, { kind: "reveal", job, round }), Promise.race([heard.promise, Promise.resolve("no")])))
    .toEqual({ kind: "reveal", job, round });
  worker.live({ job, round, operator: alice, phase: "building", logLines: ["gcc"] });
  expect(await live.promise).toMatchObject({ phase: "building", logLines: ["gcc"] });
  expect(overheard).toEqual([]);
});

test("waiting for a job ends at once when aborted, at whatever moment", async () => {
  await using network = await startBusNetwork();
  await using coordinator = await network.coordinator();
  await coordinator.ensureStreams();
  await coordinator.ensureConsumer(alice);
  await using worker = await network.worker(alice);
  for (let milliseconds = 0; milliseconds < 20; milliseconds += 2) {
    expect(await worker.nextJob(AbortSignal.timeout(milliseconds))).toBeUndefined();
  }
  // A pull that nobody ends takes half a minute.
}, 100_000);
