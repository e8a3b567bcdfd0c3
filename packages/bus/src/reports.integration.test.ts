import { connect, jwtAuthenticator } from "nats";
import { join } from "node:path";
import { utf8 } from "@quorate/protocol/utf8";
import { expect, test } from "vitest";
import { startNatsServer } from "./nats-server.fixture.ts";
import { inboxPrefix, reportSubject } from "./subjects.ts";
import { alice, bob, jobFor, startBusNetwork, startedReport } from "./network.fixture.ts";

const never = new AbortController().signal;

test("a report whose handler failed comes again until the handler succeeds", async () => {
  await using network = await startBusNetwork();
  const failures: number[] = [];
  await using coordinator = await network.coordinator({ reportFailed: (_subject, _error, deliveries) => failures.push(deliveries) });
  const done = Promise.withResolvers<number>();
  await coordinator.ensureStreams();
  coordinator.reports(async (_report, meta) => {
    if (meta.deliveries < 3) throw new Error("the database is away");
    done.resolve(meta.deliveries);
  });
  await using worker = await network.worker(alice);
  await worker.report(startedReport(jobFor(alice), alice, 1), never);
  expect(await done.promise).toBe(3);
  expect(failures).toEqual([1, 2]);
});

test("reports of one job are handled one after the other in order", async () => {
  await using network = await startBusNetwork();
  await using coordinator = await network.coordinator();
  await coordinator.ensureStreams();
  await using worker = await network.worker(alice);
  const fences = Array.from({ length: 20 }, (_, index) => index + 1);
  for (const fence of fences) await worker.report(startedReport(jobFor(alice), alice, fence), never);
  const seen: number[] = [];
  let running = 0;
  const all = Promise.withResolvers<void>();
  coordinator.reports(async (report) => {
    expect(++running).toBe(1);
    await new Promise((resolve) => setImmediate(resolve));
    seen.push(report.fence);
    running--;
    if (seen.length === fences.length) all.resolve();
  });
  await all.promise;
  expect(seen).toEqual(fences);
});

test("what is not a report is thrown away, counted, and keeps no report back", async () => {
  await using network = await startBusNetwork();
  const malformed: string[] = [];
  await using coordinator = await network.coordinator({ malformedReport: (_subject, error) => malformed.push(String(error)) });
  await coordinator.ensureStreams();
  const { jwt, seed } = await network.credentials(alice);
  const raw = await connect({
    servers: network.server.url,
    authenticator: jwtAuthenticator(jwt, utf8(seed)),
    inboxPrefix: inboxPrefix(alice),
  });
  const job = jobFor(alice);
  const jetstream = raw.jetstream();
  await jetstream.publish(reportSubject(alice), "not JSON");
  await jetstream.publish(reportSubject(alice), JSON.stringify({ ...startedReport(job, alice, 1), more: 1 }));
  await jetstream.publish(reportSubject(alice), JSON.stringify(startedReport(jobFor(bob), alice, 1)));
  await jetstream.publish(reportSubject(alice), JSON.stringify(startedReport(job, alice, 1)));
  const good = Promise.withResolvers<void>();
  coordinator.reports(async () => good.resolve());
  await good.promise;
  await expect.poll(() => malformed.length).toBe(3);
  await raw.close();
});

test("reports that were sent while the coordinator was away are handled when it comes back", async () => {
  await using network = await startBusNetwork();
  await using worker = await network.worker(alice);
  {
    await using coordinator = await network.coordinator();
    await coordinator.ensureStreams();
  }
  await worker.report(startedReport(jobFor(alice), alice, 3), never);
  await using coordinator = await network.coordinator();
  const handled = Promise.withResolvers<number>();
  coordinator.reports(async (report) => handled.resolve(report.fence));
  expect(await handled.promise).toBe(3);
});

test("a report that a coordinator was handed before it was killed is handled as soon as the next one starts, not a lease later", async () => {
  await using network = await startBusNetwork();
  await using worker = await network.worker(alice);
  const killed = await network.administrator();
  await using coordinator = await network.coordinator();
  await coordinator.ensureStreams();
  await worker.report(startedReport(jobFor(alice), alice, 3), never);
  const consumer = await killed.jetstream().consumers.get("REPORTS", "coordinator");
  expect(await consumer.next()).toBeTruthy();
  await killed.close();
  const handled = Promise.withResolvers<number>();
  coordinator.reports(async (_report, { deliveries }) => handled.resolve(deliveries));
  // The end of the lease would make it the second delivery.
  expect(await handled.promise).toBe(1);
});

test("a report that is sent while NATS restarts is handled as soon as the coordinator is back, not a lease later", async () => {
  await using network = await startBusNetwork();
  await using coordinator = await network.coordinator();
  await coordinator.ensureStreams();
  const handled: number[] = [];
  coordinator.reports(async ({ fence }) => void handled.push(fence));
  await using worker = await network.worker(alice);
  const port = Number(new URL(network.server.url).port);
  for (const fence of [1, 2, 3]) {
    await network.server[Symbol.asyncDispose]();
    network.server = await startNatsServer({ authority: network.authority, directory: join(network.directory, "nats"), port });
    await worker.report(startedReport(jobFor(alice), alice, fence), never);
    await expect.poll(() => handled, { timeout: 15_000 }).toContain(fence);
  }
});
