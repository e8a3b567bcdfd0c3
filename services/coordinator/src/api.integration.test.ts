import { randomUUID } from "node:crypto";
import { appendFile, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createApi } from "@quorate/client/api";
import { createBlobs } from "@quorate/client/blobs";
import { sha256Of } from "@quorate/protocol/digest";
import { utf8 } from "@quorate/protocol/utf8";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { adminToken, startTestNetwork, type TestNetwork } from "./network.fixture.ts";
import { problemOf } from "./problem-of.fixture.ts";
import type { TestOperator } from "./test-operator.fixture.ts";

let network: TestNetwork;
let ada: TestOperator;
beforeAll(async () => {
  network = await startTestNetwork({ sources: [{ source: "alpha", version: "1.0", architecture: "all" }] });
  ada = await network.enrol("Ada");
});
afterAll(() => network[Symbol.asyncDispose]());

const descriptionSchema = z.object({
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.object({
        summary: z.string(),
        responses: z.record(z.string(), z.object({ content: z.record(z.string(), z.object({ schema: z.any() })).default({}) })),
      }),
    ),
  ),
});

const request = { distribution: "debian", suite: "small", source: "alpha" };

test.each([
  ["another distribution", { distribution: "other" }, /^422 unknown-distribution: .*debian/],
  ["an unknown suite", { suite: "nowhere" }, /^422 unknown-suite: .*nowhere/],
  ["an unknown package", { source: "alphq" }, /^422 unknown-package: .*did you mean alpha/],
  ["an unknown version", { version: "9.9" }, /^422 unknown-version: .*there is 1\.0/],
  ["an unknown architecture", { architecture: "m68k" }, /^422 unknown-architecture: .*there is .*amd64/],
])("a submission of %s is refused, and says what there is", async (_name, change, expected) => {
  expect(await problemOf(network.api.submit({ ...request, ...change }))).toMatch(expected);
});

test("submitting needs a token that is valid", async () => {
  const problems = [createApi({ url: network.url }), createApi({ url: network.url, token: "not-a-token-of-this-network" })];
  for (const api of problems) expect(await problemOf(api.submit(request))).toMatch(/^401 unauthorized: .*token/);
});

test("a project has tokens of its own, which open what their scopes say until they are revoked or expire", async () => {
  const admin = createApi({ url: network.url, token: adminToken });
  const [submitting, reading] = [
    await admin.createToken({ project: "qa", scopes: ["submit"] }),
    await admin.createToken({ project: "qa", scopes: ["read"], expiresAt: "2999-01-01T00:00:00Z" }),
  ];
  const asSubmitter = createApi({ url: network.url, token: submitting.secret });
  const asReader = createApi({ url: network.url, token: reading.secret });
  expect(await problemOf(asReader.submit(request))).toMatch(/^403 scope-missing: .*the scope submit, and this one of project qa has read/);
  expect(await problemOf(asSubmitter.project())).toMatch(/^403 scope-missing: .*the scope read/);
  expect(await asReader.project()).toMatchObject({ project: "qa", token: { id: reading.id }, quota: { targetsADay: 1000, used: 0 } });
  const shown = await admin.tokens();
  expect(shown).toMatchObject([
    { id: reading.id, project: "qa", scopes: ["read"], expiresAt: "2999-01-01T00:00:00.000Z" },
    { id: submitting.id, project: "qa", scopes: ["submit"] },
    { project: "first", scopes: ["submit", "read", "webhooks"] },
  ]);
  for (const { secret } of [submitting, reading]) expect(JSON.stringify(shown)).not.toContain(secret);

  const revoked = await admin.revokeToken(submitting.id);
  expect(revoked.revokedAt).toBeDefined();
  expect(await admin.revokeToken(submitting.id)).toEqual(revoked);
  expect(await problemOf(asSubmitter.submit(request))).toMatch(/^401 unauthorized: .*revoked/);
  expect((await asReader.projectAudit()).entries).toMatchObject([
    { actor: "admin token", action: "revoke-token", subject: submitting.id },
    { action: "create-token", subject: reading.id, detail: "scopes read, until 2999-01-01T00:00:00Z" },
    { action: "create-token", subject: submitting.id, detail: "scopes submit" },
  ]);
  const { next } = await asReader.projectAudit({ limit: 2 });
  expect((await asReader.projectAudit({ limit: 2, after: next ?? 0 })).entries).toMatchObject([{ subject: submitting.id }]);
  expect((await network.api.projectAudit()).entries).toEqual([]);
});

test("tokens are given by whoever runs the network alone, and one that could not be used is refused", async () => {
  const admin = createApi({ url: network.url, token: adminToken });
  const wanted = { project: "qa", scopes: ["read" as const] };
  for (const api of [createApi({ url: network.url }), network.api]) {
    expect(await problemOf(api.createToken(wanted))).toMatch(/^401 unauthorized: .*ADMIN_TOKEN/);
    expect(await problemOf(api.tokens())).toMatch(/^401 unauthorized/);
    expect(await problemOf(api.revokeToken(randomUUID()))).toMatch(/^401 unauthorized/);
  }
  expect(await problemOf(admin.createToken({ ...wanted, expiresAt: "2020-01-01T00:00:00Z" }))).toMatch(/^422 expired-already: .*2020/);
  expect(await problemOf(admin.createToken({ ...wanted, project: "Q A" }))).toMatch(/^400 invalid-request: .*project/);
  expect(await problemOf(admin.revokeToken(randomUUID()))).toMatch(/^404 not-found: .*GET \/v1\/tokens/);
});

test("a token that has expired opens nothing", async () => {
  const { secret } = await createApi({ url: network.url, token: adminToken }).createToken({
    project: "short",
    scopes: ["read"],
    expiresAt: new Date(Date.now() + 1000).toISOString(),
  });
  const api = createApi({ url: network.url, token: secret });
  await expect.poll(() => problemOf(api.project()).catch(() => "valid"), { timeout: 10_000 }).toMatch(/^401 unauthorized: .*expired/);
});

test("of many submissions each is taken or refused by itself, a dry run stores nothing, and the same batch sent again changes nothing", async () => {
  const batch = [request, { ...request, source: "alphq" }, { ...request, architecture: "all" }];
  const dry = await network.api.submitBatch(batch, { isDryRun: true });
  expect(dry.submissions).toMatchObject([{ created: true }, { problem: { status: 422 } }, { created: true }]);
  expect(await network.api.rounds()).toEqual([]);
  const first = await network.api.submitBatch(batch);
  expect(first).toEqual({ ...dry, isDryRun: false });
  const again = await network.api.submitBatch(batch);
  expect(again.submissions).toMatchObject([{ created: false }, { problem: { status: 422 } }, { created: false }]);
  expect(await network.api.rounds()).toHaveLength(1);
  const stranger = createApi({ url: network.url, token: "not-a-token-of-this-network" });
  expect(await problemOf(stranger.submitBatch(batch))).toMatch(/^401 unauthorized/);
});

test("a round without enough operators waits, says for what, and starts by itself when they have joined", async () => {
  const submission = await network.api.submit(request);
  const waiting = async () => (await network.api.submission(submission.id)).rounds[0];
  await expect
    .poll(async () => (await waiting())?.reason)
    .toMatch(/^waiting for operators: 2 .* are needed, 1 enrolled; it starts by itself/);
  expect(await waiting()).toMatchObject({ state: "planned", jobs: [] });
  await network.enrol("Bert");
  await expect.poll(async () => (await waiting())?.state, { timeout: 30_000 }).toBe("building");
  expect((await waiting())?.jobs).toHaveLength(2);
  expect((await waiting())?.reason).toBeUndefined();
});

test("a project lists what it has submitted with all of its tokens, and nothing of others; the same request of another is its own", async () => {
  const { secret } = await createApi({ url: network.url, token: adminToken }).createToken({ project: "other", scopes: ["submit", "read"] });
  const other = createApi({ url: network.url, token: secret });
  expect(await other.projectSubmissions()).toEqual({ submissions: [] });
  const own = await other.submit(request);
  const [first, second, ...more] = (await network.api.projectSubmissions()).submissions;
  expect(more).toEqual([]);
  expect(first?.targets).toMatchObject([{ version: "1.0", architecture: "all", state: "building", round: own.rounds[0]?.round }]);
  expect([first?.id, second?.id]).not.toContain(own.id);
  expect((await other.projectSubmissions()).submissions).toMatchObject([{ id: own.id, request, targets: [{ state: "building" }] }]);
  expect(await other.project()).toMatchObject({ submissions: 1, targets: { pending: 1 }, failing: 0, builderSeconds: 0 });
  expect(await other.project()).toMatchObject({ quota: { used: 1, freeAt: expect.any(String) } });

  const page = await network.api.projectSubmissions({ limit: 1 });
  expect(page).toEqual({ submissions: [first], next: first?.id });
  expect(await network.api.projectSubmissions({ limit: 1, after: page.next ?? own.id })).toEqual({ submissions: [second] });
  expect(await network.api.projectSubmissions({ after: own.id })).toEqual({ submissions: [] });
  expect(await network.api.projectSubmissions({ failing: true })).toEqual({ submissions: [] });
});

test("what is not there is a 404 that names where to look", async () => {
  const none = sha256Of(utf8("none"));
  expect(await problemOf(network.api.submission(none))).toMatch(/^404 not-found: .*POST \/v1\/submissions/);
  expect(await problemOf(network.api.round(none))).toMatch(/^404 not-found: .*GET \/v1\/rounds/);
  expect(await problemOf(network.api.target(none))).toMatch(/^404 not-found/);
  expect(await problemOf(network.api.artifact(none))).toMatch(/^404 not-found: .*submit its source/);
  expect(await problemOf(network.api.proof(none))).toMatch(/^404 not-found/);
});

test("statistics, the network's keys and its rounds are there for everybody", async () => {
  const api = createApi({ url: network.url });
  expect(await api.stats()).toMatchObject({ operators: 2, rounds: { building: 1 }, verdicts: {} });
  const view = await api.network();
  expect(view).toMatchObject({ logUrl: network.config.LOG_URL, logKey: network.config.LOG_KEY });
  expect(view.operators.map(({ name }) => name)).toEqual(["Ada", "Bert"]);
  expect(await api.rounds({ state: "building" })).toHaveLength(1);
  expect(await api.rounds({ state: "settled" })).toEqual([]);
});

test("blobs are written with a job's ticket only, are what their address says, and are read by everybody", async () => {
  const blobs = createBlobs({ url: network.url });
  const { message } = await ada.takeJob();
  const content = utf8("build log\n".repeat(100_000));
  const sha256 = sha256Of(content);
  const put = (ticket: string, body: Uint8Array) => blobs.put({ sha256, content: body, ticket });
  expect(await problemOf(put("no-ticket", content))).toMatch(/^401 unauthorized: .*ticket/);
  expect(await problemOf(put(message.uploadTicket, utf8("other")))).toMatch(/^422 digest-differs/);
  expect(await blobs.has(sha256)).toBe(false);
  await put(message.uploadTicket, content);
  await put(message.uploadTicket, content);
  expect(await blobs.get(sha256)).toEqual(content);
});

test("the files that a target's environment is pinned by are blobs", async () => {
  const [round] = await network.api.rounds();
  const target = await network.api.target(round?.target ?? sha256Of(utf8("")));
  const blobs = createBlobs({ url: network.url });
  for (const { inReleaseSha256, indices } of target.environment.suites) {
    for (const sha256 of [inReleaseSha256, ...indices.map((index) => index.sha256)]) expect(await blobs.has(sha256)).toBe(true);
  }
});

test("a malformed request is told what is wrong with it", async () => {
  const response = await fetch(`${network.url}/v1/rounds?limit=many`);
  expect(response.headers.get("content-type")).toContain("application/problem+json");
  expect(await response.json()).toMatchObject({ status: 400, detail: expect.stringContaining("limit") });
});

test("every route is described, and what is answered fits what is described", async () => {
  const read = async (path: string): Promise<unknown> => (await fetch(`${network.url}${path}`)).json();
  const { paths } = descriptionSchema.parse(await read("/v1/openapi.json"));
  const directory = join(import.meta.dirname, "routes");
  const sources = await Promise.all((await readdir(directory)).map((file) => readFile(join(directory, file), "utf8")));
  const named = sources.flatMap((text) =>
    [...text.matchAll(/"(\/v1\/[^"]+)"/g)].map(([, path = ""]) => path.replaceAll(/:(\w+)/g, "{$1}")),
  );
  expect(named.length).toBeGreaterThan(15);
  expect(Object.keys(paths).toSorted()).toEqual([...new Set([...named, "/v1/openapi.json"])].toSorted());
  const [round] = await network.api.rounds();
  const values: Record<string, string | undefined> = { operator: ada.id, id: round?.round, digest: round?.target };
  const asked = [
    "/v1/rounds",
    "/v1/rounds/{id}",
    "/v1/targets/{digest}",
    "/v1/network",
    "/v1/operators",
    "/v1/operators/{operator}/record",
    "/v1/policies",
    "/v1/stats",
    "/v1/workers",
    "/v1/artifacts",
  ];
  for (const path of asked) {
    const described = z.fromJSONSchema(paths[path]?.["get"]?.responses["200"]?.content["application/json"]?.schema ?? {});
    expect(described.safeParse("of another kind").success, path).toBe(false);
    expect(described.safeParse(await read(path.replaceAll(/{(\w+)}/g, (_all, name: string) => values[name] ?? ""))), path).toMatchObject({
      success: true,
    });
  }
});

test("a project that has submitted all that it may in a day is told when it may again; what it has submitted stays", async () => {
  network.config.PROJECT_TARGETS_A_DAY = 2;
  await network.restart();
  const refused: unknown = await network.api.submit({ ...request, version: "1.0" }).catch((error: unknown) => error);
  expect(refused).toMatchObject({
    status: 429,
    problem: { type: expect.stringMatching(/quota-exceeded$/) },
    retryAfterSeconds: expect.any(Number),
  });
  expect((await network.api.submit(request)).rounds).toHaveLength(1);
});

test("a dry run says how far a batch would come in what is left of the day", async () => {
  network.config.PROJECT_TARGETS_A_DAY = 3;
  await network.restart();
  const batch = [request, { ...request, version: "1.0" }, { ...request, version: "1.0", architecture: "all" }];
  const dry = await network.api.submitBatch(batch, { isDryRun: true });
  expect(dry.submissions).toMatchObject([{ created: false }, { created: true }, { problem: { status: 429 } }]);
  // The same in batches of one, each told of those before it; and what is asked for twice is taken once.
  const [, second = request, third = request] = batch;
  const alone = await network.api.submitBatch([second, second], { isDryRun: true });
  expect(alone).toMatchObject({ counted: 1, submissions: [{ created: true }, { created: false }] });
  const next = await network.api.submitBatch([third, request], { isDryRun: true, countedBefore: alone.counted });
  expect(next).toMatchObject({ counted: 0, submissions: [{ problem: { status: 429 } }, { created: false }] });
  expect(await network.api.submitBatch(batch)).toMatchObject({
    counted: 1,
    submissions: [{ created: false }, { created: true }, { problem: { status: 429 } }],
  });
});

test("an address may ask so often in a minute, a token as often again; blobs are read without end", async () => {
  network.config.COORDINATOR_REQUESTS_A_MINUTE = 3;
  await network.restart();
  const { secret } = await createApi({ url: network.url, token: adminToken }).createToken({ project: "limits", scopes: ["read"] });
  // As a proxy on this host would send it; what this host asks for itself is not counted.
  const ask = (path: string, headers: Record<string, string> = {}) =>
    fetch(`${network.url}${path}`, { headers: { "x-forwarded-for": "203.0.113.7", ...headers } });
  const withToken = { authorization: `Bearer ${secret}` };
  const left = async (answer: Promise<Response>) => (await answer).headers.get("ratelimit-remaining");
  expect(await left(ask("/v1/stats"))).toBe("2");
  expect(await left(ask("/v1/project", withToken))).toBe("1");
  expect(await left(ask("/v1/project", withToken))).toBe("2");
  expect(await left(ask("/v1/project", { authorization: "Bearer invented" }))).toBe("0");
  const refused = await ask("/v1/stats");
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, expect.stringMatching(/^\d+$/)]);
  expect(await refused.json()).toMatchObject({ type: expect.stringMatching(/too-many-requests$/) });
  expect((await ask("/v1/project", withToken)).status).toBe(200);
  const none = sha256Of(utf8("none"));
  const unlimited = [await ask(`/v1/blobs/sha256/${none}`), await ask("/health/live")];
  expect(unlimited.map(({ status }) => status)).toEqual([404, 200]);
  expect((await network.api.stats()).operators).toBe(2);
});

test("an altered InRelease is refused, and nothing is built from it", async () => {
  await appendFile(join(network.archive.root, "dists", "small", "InRelease"), "tampered\n");
  await network.restart();
  expect(await problemOf(network.api.submit(request))).toMatch(/^502 archive-untrusted: .*nothing is built from it/);
});
