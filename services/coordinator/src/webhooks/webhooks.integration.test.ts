import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { createApi } from "@quorate/client/api";
import { createWebhookApi, type WebhookApi } from "@quorate/client/webhook-api";
import type { NewWebhook } from "@quorate/protocol/webhook";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, test } from "vitest";
import { adminToken, startTestNetwork, type TestNetwork } from "../network.fixture.ts";
import { problemOf } from "../problem-of.fixture.ts";
import { submitted } from "../submitted.fixture.ts";
import type { TestOperator } from "../test-operator.fixture.ts";
import { serve } from "./serve.fixture.ts";

const names = ["alpha", "beta", "gamma", "delta"];
let network: TestNetwork;
let operators: TestOperator[];
let webhooks: WebhookApi;
beforeAll(async () => {
  network = await startTestNetwork({
    sources: names.map((source) => ({ source, version: "1.0", architecture: "all" as const })),
    options: { webhookRetryMilliseconds: [100, 100] },
  });
  operators = [];
  for (const name of ["Ada", "Bert", "Cyd"]) operators.push(await network.enrol(name));
  webhooks = createWebhookApi({ url: network.url, token: network.config.API_TOKEN });
});
afterAll(() => network[Symbol.asyncDispose]());

/** An endpoint that keeps what it is sent, and answers with one status after the other, the last of them from then on. */
async function startEndpoint(...statuses: readonly (number | "hang")[]) {
  const got: { headers: IncomingHttpHeaders; body: string }[] = [];
  const server = await serve(async (request, response) => {
    const body = (await request.toArray()).join("");
    const status = statuses[Math.min(got.push({ headers: request.headers, body }), statuses.length) - 1] ?? 200;
    if (status !== "hang") response.writeHead(status, { location: "http://127.0.0.1:1/" }).end("not read");
  });
  return { ...server, got };
}

type Endpoint = Awaited<ReturnType<typeof startEndpoint>>;

/** What a receiver reads that checks the signature with the standard's own library. */
function verified({ secret }: NewWebhook, { got }: Endpoint): unknown[] {
  return got.map(({ headers, body }) => new Webhook(secret).verify(body, headers as Record<string, string>));
}

async function settle(source: string) {
  const round = await submitted(network, source);
  await Promise.all(operators.map((operator) => operator.work()));
  return await round.settled();
}

const soon = { timeout: 10_000 };
const last = async (id: string) => (await webhooks.deliveries(id, { limit: 1 })).deliveries[0];

test("a project is told of the verdicts on what it has submitted, signed, once each, and others are not", async () => {
  await using endpoint = await startEndpoint(204);
  await using other = await startEndpoint(204);
  const { secret } = await createApi({ url: network.url, token: adminToken }).createToken({ project: "other", scopes: ["webhooks"] });
  await createWebhookApi({ url: network.url, token: secret }).create(other.url);
  const webhook = await webhooks.create(endpoint.url);
  const round = await settle("alpha");
  await expect.poll(() => endpoint.got.length, soon).toBe(1);
  expect(verified(webhook, endpoint)).toMatchObject([
    {
      type: "verdict",
      data: {
        round: round.round,
        source: "alpha",
        version: "1.0",
        suite: "small",
        outcome: "reproduced",
        verdictIndex: round.verdictIndex,
      },
    },
  ]);
  await expect.poll(() => last(webhook.id), soon).toMatchObject({ state: "delivered", attempts: [{ status: 204 }] });
  expect(await last(webhook.id)).toMatchObject({ id: endpoint.got[0]?.headers["webhook-id"], message: verified(webhook, endpoint)[0] });
  expect(other.got).toEqual([]);
  await webhooks.remove(webhook.id);
});

test("a message that an endpoint does not take comes again under the same id, until it is taken or given up", async () => {
  await using failing = await startEndpoint(500, 302, 200);
  await using broken = await startEndpoint(500);
  const [later, never] = [await webhooks.create(failing.url), await webhooks.create(broken.url)];
  await settle("beta");
  await expect
    .poll(() => last(later.id), soon)
    .toMatchObject({ state: "delivered", attempts: [{ status: 500 }, { status: 302 }, { status: 200 }] });
  expect(new Set(failing.got.map(({ headers, body }) => JSON.stringify([headers["webhook-id"], body]))).size).toBe(1);
  expect(verified(later, failing)).toHaveLength(3);
  await expect
    .poll(() => last(never.id), soon)
    .toMatchObject({ state: "given-up", attempts: [{ status: 500 }, { status: 500 }, { status: 500 }] });
  for (const { id } of [later, never]) await webhooks.remove(id);
});

test("an endpoint that hangs holds up no other, and its message waits for the next start", async () => {
  await using hanging = await startEndpoint("hang", 200);
  await using quick = await startEndpoint(200);
  const [slow, fast] = [await webhooks.create(hanging.url), await webhooks.create(quick.url)];
  await settle("gamma");
  await expect.poll(() => last(fast.id), soon).toMatchObject({ state: "delivered" });
  await expect.poll(() => hanging.got.length, soon).toBe(1);
  expect(await last(slow.id)).toMatchObject({ state: "waiting", attempts: [] });
  await network.restart({ webhookRetryMilliseconds: [100] });
  await expect.poll(() => last(slow.id), soon).toMatchObject({ state: "delivered", attempts: [{ status: 200 }] });
  for (const { id } of [slow, fast]) await webhooks.remove(id);
});

test("a webhook is tried out by a ping; an endpoint that says it is gone is sent nothing more", async () => {
  await using endpoint = await startEndpoint(200, 410);
  const webhook = await webhooks.create(endpoint.url);
  expect(await webhooks.ping(webhook.id)).toMatchObject({ state: "waiting", message: { type: "ping" }, attempts: [] });
  await expect.poll(() => last(webhook.id), soon).toMatchObject({ state: "delivered" });
  await webhooks.ping(webhook.id);
  await expect.poll(() => last(webhook.id), soon).toMatchObject({ state: "given-up", attempts: [{ status: 410 }] });
  expect(verified(webhook, endpoint)).toMatchObject([{ type: "ping" }, { type: "ping" }]);
  const { deliveries, next } = await webhooks.deliveries(webhook.id, { limit: 1 });
  expect(await webhooks.deliveries(webhook.id, { after: next ?? 0 })).toMatchObject({ deliveries: [{ state: "delivered" }] });
  expect(deliveries).toMatchObject([{ state: "given-up" }]);
  expect(await problemOf(webhooks.ping(webhook.id))).toMatch(/^409 webhook-ended: .*410 Gone/);
  expect((await webhooks.list()).find(({ id }) => id === webhook.id)?.endedAt).toBeDefined();
  await settle("delta");
  expect(endpoint.got).toHaveLength(2);
  await webhooks.remove(webhook.id);
});

test("webhooks are a project's own, ten at most, under a token with their scope, and no secret is shown twice", async () => {
  const admin = createApi({ url: network.url, token: adminToken });
  const tokenOf = async (project: string, scope: "read" | "webhooks") =>
    createWebhookApi({ url: network.url, token: (await admin.createToken({ project, scopes: [scope] })).secret });
  const [mine, theirs, reading] = [await tokenOf("mine", "webhooks"), await tokenOf("theirs", "webhooks"), await tokenOf("mine", "read")];
  await using endpoint = await startEndpoint(200);
  const { id, secret } = await mine.create(endpoint.url);
  expect(await problemOf(reading.list())).toMatch(/^403 scope-missing: .*the scope webhooks/);
  expect(await theirs.list()).toEqual([]);
  for (const call of [theirs.remove(id), theirs.ping(id), theirs.deliveries(id), mine.ping(randomUUID())])
    expect(await problemOf(call)).toMatch(/^404 not-found: .*GET \/v1\/webhooks/);
  expect(JSON.stringify([await mine.list(), await mine.deliveries(id)])).not.toContain(secret);
  for (let more = 1; more < 10; more++) await mine.create(endpoint.url);
  expect(await problemOf(mine.create(endpoint.url))).toMatch(/^409 too-many-webhooks: .*remove one first/);
  expect(await mine.remove(id)).toMatchObject({ id });
  expect(await problemOf(mine.create("ftp://qa.example/"))).toMatch(/^400 invalid-request: .*https URL/);
  expect(await problemOf(mine.create("https://me:secret@qa.example/"))).toMatch(/^400 invalid-request: .*no password/);
  expect(await problemOf(mine.create("https://nowhere.invalid/"))).toMatch(/^422 forbidden-address: .*nowhere\.invalid has no address/);
});

test("where only the public network is allowed, nothing is sent elsewhere, not even to an endpoint that was allowed before", async () => {
  await using endpoint = await startEndpoint(200);
  const before = await webhooks.create(endpoint.url);
  network.config.WEBHOOK_ADDRESSES = "public";
  await network.restart({ webhookRetryMilliseconds: [] });
  expect(await problemOf(webhooks.create(endpoint.url))).toMatch(/^422 forbidden-address: .*https only/);
  for (const host of ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "10.0.0.1", "0x7f000001"])
    expect(await problemOf(webhooks.create(`https://${host}/`))).toMatch(
      /^422 forbidden-address: .*is not an address of the public network/,
    );
  await webhooks.ping(before.id);
  await expect
    .poll(() => last(before.id), soon)
    .toMatchObject({ state: "given-up", attempts: [{ error: "127.0.0.1 is not an address of the public network" }] });
  expect(endpoint.got).toEqual([]);
});
