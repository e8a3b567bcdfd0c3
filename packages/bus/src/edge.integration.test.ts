import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { startNatsServer } from "./nats-server.fixture.ts";
import { alice, bob, type BusNetwork, jobFor, startBusNetwork, startedReport } from "./network.fixture.ts";
import { revokeUsers } from "./revoke-users.ts";
import { waitingReports } from "./streams.ts";
import { createUserKey, mintUser } from "./user-credentials.ts";
import { connectWorkerBus, type WorkerBus } from "./worker-bus.ts";

const never = new AbortController().signal;

async function workerWith(network: BusNetwork, urls: readonly string[], refusals: string[] = []): Promise<WorkerBus & { userKey: string }> {
  const key = createUserKey();
  const expiresAt = new Date(Date.now() + 3600_000);
  const jwt = await mintUser({ authority: network.authority, operator: alice, userKey: key.publicKey, expiresAt });
  const events = { credentialsRefused: () => refusals.push("refused") };
  const bus = await connectWorkerBus({ urls, jwt: () => jwt, userSeed: key.seed, operator: alice, events });
  return { ...bus, userKey: key.publicKey };
}

test("a worker that cannot reach NATS itself goes over a WebSocket, both encrypted", async () => {
  await using network = await startBusNetwork();
  const [certificateFile, keyFile] = [join(network.directory, "server.crt"), join(network.directory, "server.key")];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"];
  const words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", ...subject];
  await promisify(execFile)("openssl", [...words, "-keyout", keyFile, "-out", certificateFile]);
  setDefaultCACertificates([...getCACertificates(), await readFile(certificateFile, "utf8")]);
  const tls = { certificateFile, keyFile };
  await using server = await startNatsServer({
    authority: network.authority,
    directory: join(network.directory, "tls"),
    tls,
    webSockets: true,
  });
  expect(server.webSocketUrl).toMatch(/^wss:/);
  await using coordinator = await network.coordinatorAt(server.url);
  await coordinator.ensureStreams();
  await coordinator.ensureConsumer(alice);
  for (const urls of [[server.url], ["nats://127.0.0.1:1", server.webSocketUrl]]) {
    await using worker = await workerWith(network, urls);
    await coordinator.publishJob(alice, "all", jobFor(alice, urls[0]));
    const job = await worker.nextJob(never);
    expect(job?.message).toEqual(jobFor(alice, urls[0]));
    await job?.ack();
  }
});

test("a revoked worker is disconnected at once and stays out, others stay in, without a restart of the server", async () => {
  await using network = await startBusNetwork();
  await using coordinator = await network.coordinator();
  await coordinator.ensureStreams();
  await coordinator.ensureConsumer(alice);
  const [revokedRefusals, otherRefusals]: string[][] = [[], []];
  await using revoked = await workerWith(network, [network.server.url], revokedRefusals);
  await using other = await workerWith(network, [network.server.url], otherRefusals);
  const { authority, server } = network;
  await revokeUsers({ url: server.url, authority }, new Map([[revoked.userKey, new Date()]]));
  await expect.poll(() => revokedRefusals?.length, { timeout: 20_000 }).toBeGreaterThan(0);
  await coordinator.publishJob(alice, "all", jobFor(alice));
  expect((await other.nextJob(never))?.message).toEqual(jobFor(alice));
  expect(otherRefusals).toEqual([]);
  await revokeUsers({ url: server.url, authority }, new Map());
});

test("an operator that floods its reports fills its own share, and another's are taken", async () => {
  await using network = await startBusNetwork();
  await using coordinator = await network.coordinator();
  await coordinator.ensureStreams();
  const full: string[] = [];
  await using flood = await network.worker(alice, { retrying: (what, error) => full.push(`${what}: ${String(error)}`) });
  const stop = new AbortController();
  const sending = Array.from({ length: waitingReports + 10 }, (_, number) =>
    flood.report(startedReport(jobFor(alice, `flood ${number}`), alice, 1), stop.signal).catch(() => undefined),
  );
  await expect.poll(() => full.length, { timeout: 20_000 }).toBeGreaterThanOrEqual(10);
  expect(full[0]).toMatch(/503/);
  await using honest = await network.worker(bob);
  await honest.report(startedReport(jobFor(bob), bob, 1), never);
  const taken: string[] = [];
  coordinator.reports(async ({ operator }) => void taken.push(operator));
  await expect.poll(() => taken.filter((operator) => operator === bob).length, { timeout: 20_000 }).toBe(1);
  await Promise.all(sending);
  await expect.poll(() => taken.filter((operator) => operator === alice).length, { timeout: 20_000 }).toBe(waitingReports + 10);
});
