import { createAccount, fromPublic } from "@nats-io/nkeys";
import { encodeUser } from "@nats-io/jwt";
import { utf8 } from "@quorate/protocol/utf8";
import fc from "fast-check";
import { connect, jwtAuthenticator, type NatsConnection } from "nats";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CoordinatorBus } from "./coordinator-bus.ts";
import { controlSubject, formatMessage, inboxPrefix, liveSubject, parseMessage, reportSubject } from "./subjects.ts";
import { alice, bob, jobFor, startedReport, startBusNetwork, type BusNetwork } from "./network.fixture.ts";
import { createUserKey, mintUser } from "./user-credentials.ts";

let network: BusNetwork;
let coordinator: CoordinatorBus;
/** A client with bob's credentials that does what bob's worker never would. */
let mallory: NatsConnection;
const refused: string[] = [];

beforeAll(async () => {
  network = await startBusNetwork();
  coordinator = await network.coordinator();
  await coordinator.ensureStreams();
  await coordinator.ensureConsumer(alice);
  await coordinator.ensureConsumer(bob);
  const { jwt, seed } = await network.credentials(bob);
  mallory = await connect({ servers: network.server.url, authenticator: jwtAuthenticator(jwt, utf8(seed)), inboxPrefix: inboxPrefix(bob) });
  void (async () => {
    for await (const status of mallory.status())
      if (status.permissionContext) refused.push(`${status.permissionContext.operation} ${status.permissionContext.subject}`);
  })();
});

afterAll(async () => {
  await mallory.close();
  await coordinator[Symbol.asyncDispose]();
  await network[Symbol.asyncDispose]();
});

const job = jobFor(alice);

test.each([
  reportSubject(alice),
  liveSubject(alice, job.job),
  controlSubject(alice),
  `job.${alice}.amd64`,
  `$JS.API.CONSUMER.MSG.NEXT.JOBS.${alice}`,
  `$JS.API.CONSUMER.INFO.JOBS.${alice}`,
  `$JS.ACK.JOBS.${alice}.1.1.1.1.0`,
  "$JS.API.STREAM.DELETE.JOBS",
  "$JS.API.STREAM.PURGE.REPORTS",
  "$JS.API.STREAM.MSG.GET.REPORTS",
  `$JS.API.CONSUMER.DURABLE.CREATE.JOBS.${bob}`,
  "$JS.API.STREAM.CREATE.MINE",
  "$SYS.REQ.CLAIMS.UPDATE",
  `${inboxPrefix(alice)}.x`,
])("an operator cannot publish on %s", async (subject) => {
  mallory.publish(subject, formatMessage(startedReport(job, alice, 1)));
  await mallory.flush();
  await expect.poll(() => refused).toContain(`publish ${subject}`);
});

test.each([">", "report.>", "job.>", controlSubject(alice), `${inboxPrefix(alice)}.>`, "live.>", "$JS.>"])(
  "an operator cannot listen on %s",
  async (subject) => {
    mallory.subscribe(subject, { callback: () => undefined });
    await mallory.flush();
    await expect.poll(() => refused).toContain(`subscription ${subject}`);
  },
);

test.each(["$JS.API.STREAM.PURGE.JOBS", "$JS.API.STREAM.DELETE.JOBS", `$JS.API.CONSUMER.DELETE.JOBS.${alice}`])(
  "an operator that has a job delivered to %s administers nothing",
  async (reply) => {
    await coordinator.publishJob(bob, "amd64", jobFor(bob, reply));
    await coordinator.publishJob(alice, "amd64", jobFor(alice, reply));
    mallory.publish(`$JS.API.CONSUMER.MSG.NEXT.JOBS.${bob}`, "", { reply });
    await mallory.flush();
    expect(await coordinator.ensureStreams()).toEqual([]);
    await using worker = await network.worker(alice);
    const job = await worker.nextJob(AbortSignal.timeout(20_000));
    expect(job?.message).toEqual(jobFor(alice, reply));
    await job?.ack();
  },
);

test("an operator that knows the subject by which another's job is acknowledged cannot acknowledge it", async () => {
  const foreign = jobFor(alice, "known subject");
  const { jwt, seed } = await network.credentials(alice);
  const victim = await connect({
    servers: network.server.url,
    authenticator: jwtAuthenticator(jwt, utf8(seed)),
    inboxPrefix: inboxPrefix(alice),
  });
  await coordinator.publishJob(alice, "amd64", foreign);
  const message = await victim.request(`$JS.API.CONSUMER.MSG.NEXT.JOBS.${alice}`, "", { timeout: 10_000, noMux: true });
  expect(message.reply).toMatch(new RegExp(`^\\$JS\\.ACK\\.JOBS\\.${alice}\\.`));
  mallory.publish(message.reply ?? "", "+ACK");
  await mallory.flush();
  await expect.poll(() => refused).toContain(`publish ${message.reply}`);
  // Given back, it comes again: it is still there.
  victim.publish(message.reply ?? "", "-NAK");
  const again = await victim.request(`$JS.API.CONSUMER.MSG.NEXT.JOBS.${alice}`, "", { timeout: 10_000, noMux: true });
  expect(parseMessage("job", again.data)).toEqual(foreign);
  victim.publish(again.reply ?? "", "+ACK");
  await victim.close();
});

const tokens = [
  alice,
  bob,
  "*",
  ">",
  "report",
  "job",
  "live",
  "control",
  "$JS",
  "API",
  "ACK",
  "CONSUMER",
  "INFO",
  "MSG",
  "NEXT",
  "JOBS",
  "REPORTS",
];
const inboxes = [inboxPrefix(alice), inboxPrefix(bob), "_INBOX", "x"];
const namesBob = (subject: string) => subject.split(".").some((token) => token === bob || token === inboxPrefix(bob));

test("whatever subject an operator thinks of: what the server lets it do is about itself alone", async () => {
  const subjects = fc.array(fc.constantFrom(...tokens, ...inboxes), { minLength: 1, maxLength: 7 }).map((words) => words.join("."));
  await fc.assert(
    fc.asyncProperty(fc.constantFrom("publish", "subscription"), subjects, async (operation, subject) => {
      const isWild = /(?:^|\.)[*>](?:\.|$)/.test(subject);
      fc.pre(operation === "subscription" ? !/>\./.test(subject) : !isWild);
      fc.pre(!namesBob(subject));
      refused.length = 0;
      if (operation === "publish") mallory.publish(subject, "x");
      else mallory.subscribe(subject, { callback: () => undefined });
      await mallory.flush();
      await expect.poll(() => refused).toContain(`${operation} ${subject}`);
    }),
    { numRuns: 200 },
  );
});

test("an operator can publish its own reports", async () => {
  const own = jobFor(bob);
  const ack = await mallory.jetstream().publish(reportSubject(bob), formatMessage(startedReport(own, bob, 1)));
  expect(ack.stream).toBe("REPORTS");
});

test("credentials signed by another account are refused", async () => {
  const key = createUserKey();
  const jwt = await encodeUser("forged", fromPublic(key.publicKey), createAccount(), {
    issuer_account: network.authority.account.publicKey,
  });
  await expect(
    connect({ servers: network.server.url, authenticator: jwtAuthenticator(jwt, utf8(key.seed)), reconnect: false }),
  ).rejects.toThrow(/Authorization/);
});

test("expired credentials are refused", async () => {
  const key = createUserKey();
  const expiresAt = new Date(Date.now() - 60_000);
  const jwt = await mintUser({ authority: network.authority, operator: bob, userKey: key.publicKey, expiresAt });
  await expect(
    connect({ servers: network.server.url, authenticator: jwtAuthenticator(jwt, utf8(key.seed)), reconnect: false }),
  ).rejects.toThrow(/expired|Authorization/i);
});
