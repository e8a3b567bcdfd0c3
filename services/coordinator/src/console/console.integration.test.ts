import { afterAll, beforeAll, expect, test } from "vitest";
import { adminToken, startTestNetwork, type TestNetwork } from "../network.fixture.ts";
import { submitted } from "../submitted.fixture.ts";
import type { TestOperator } from "../test-operator.fixture.ts";
import type { ConsoleOverview } from "./console-overview.ts";

const sources = ["alpha", "beta", "gamma"].map((source) => ({ source, version: "1.0", architecture: "all" as const }));
let network: TestNetwork;
let operators: TestOperator[];
beforeAll(async () => {
  network = await startTestNetwork({ sources });
  operators = [];
  for (const name of ["Ada", "Bert", "Cyd"]) operators.push(await network.enrol(name));
});
afterAll(() => network[Symbol.asyncDispose]());

const basic = (name: string, password: string) => ({ authorization: `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}` });
const asGrace = basic("grace", adminToken);
const ask = (path: string, init: RequestInit = {}) =>
  fetch(`${network.consoleUrl}${path}`, { redirect: "manual", headers: asGrace, ...init });
const act = (path: string, headers: Record<string, string> = asGrace) => ask(path, { method: "POST", headers });
const page = async () => (await ask("/")).text();
const overview = async (): Promise<ConsoleOverview> => (await ask("/overview.json")).json() as Promise<ConsoleOverview>;

test.each(["/", "/overview.json", "/queues", "/queues/api/queues", "/console.css", "/nothing"])(
  "%s is for whoever has the password",
  async (path) => {
    expect((await ask(path, { headers: {} })).headers.get("www-authenticate")).toContain("Basic");
    for (const headers of [{}, basic("grace", "guessed"), basic("", ""), { authorization: `Bearer ${adminToken}` }])
      expect((await ask(path, { headers })).status).toBe(401);
  },
);

test("another site's page changes nothing with the password that the browser knows", async () => {
  for (const origin of ["https://evil.example", "null"]) expect((await act("/pause", { ...asGrace, origin })).status).toBe(403);
  expect(await overview()).toMatchObject({
    mode: "running",
    audit: expect.not.arrayContaining([expect.objectContaining({ action: "pause" })]),
  });
  expect((await act("/pause", { ...asGrace, origin: network.consoleUrl ?? "" })).status).toBe(303);
  expect((await act("/resume")).status).toBe(303);
});

test("while the network is paused submissions wait, and the console says so; then they go on", async () => {
  await act("/pause");
  const round = await submitted(network, "alpha");
  await round.once(({ state, reason }) => state === "planned" && reason !== undefined);
  expect(await overview()).toMatchObject({ mode: "paused", counts: { planned: 1 }, rounds: [{ stuck: true, state: "planned" }] });
  expect(await page()).toMatch(/alpha 1\.0 all, debian\/small[\s\S]*Stuck: whoever runs the network has paused it/);
  await act("/resume");
  await Promise.all(operators.map((operator) => operator.work()));
  expect(await round.settled()).toMatchObject({ verdict: { outcome: "reproduced" } });
  const { round: id } = await round.settled();
  expect((await act(`/rounds/${id}/retry`)).status).toBe(409);
});

test("a network that drains refuses submissions, finishes what is under way, and then says that it may be stopped", async () => {
  const round = await submitted(network, "beta");
  await round.once(({ state }) => state === "building");
  await act("/drain");
  await expect(submitted(network, "gamma")).rejects.toMatchObject({ status: 503 });
  expect(await page()).not.toContain("may be stopped");
  for (const operator of operators) {
    const job = await operator.takeJob();
    await operator.report(job, { kind: "declined", reason: "no space left" });
    await job.ack();
  }
  const { round: id, verdict } = await round.settled();
  expect(verdict).toMatchObject({ outcome: "inconclusive" });
  expect(await page()).toContain("the coordinator may be stopped");
  expect(await overview()).toMatchObject({ retryable: [{ round: id, state: "inconclusive" }] });

  await act("/resume");
  expect((await act(`/rounds/${id}/retry`)).status).toBe(303);
  const again = round.once(({ attempt, state }) => attempt === 2 && state === "settled");
  await Promise.all(operators.map((operator) => operator.work()));
  expect(await again).toMatchObject({ verdict: { outcome: "reproduced" } });
  const { retryable, audit } = await overview();
  expect(retryable).toEqual([]);
  expect(audit[0]).toMatchObject({ actor: "console: grace", action: "retry", subject: id });
  expect(audit.slice(0, 3).map(({ action }) => action)).toEqual(["retry", "resume", "drain"]);
});

test("workers, witnesses, disk and queues are shown, and who did what under whatever name", async () => {
  await act("/resume", basic("<script>alert(1)</script>\u202e", adminToken));
  const { workers, log, disk, audit } = await overview();
  expect(workers.map(({ operatorName, state }) => `${operatorName} ${state}`)).toEqual(
    ["Ada", "Bert", "Cyd"].map((name) => `${name} registered`),
  );
  expect(log).toMatchObject({ size: expect.any(Number), witnesses: [{ cosignedAt: expect.any(String) }] });
  expect(disk.totalBytes).toBeGreaterThan(disk.freeBytes);
  expect(audit[0]).toMatchObject({ action: "resume" });
  const shown = await page();
  expect(shown).toContain("console: &lt;script&gt;alert(1)&lt;/script&gt;⟨U+202E⟩");
  expect(shown).not.toContain("<script");
  expect(await (await ask("/queues/api/queues")).json()).toMatchObject({ queues: [{ name: "round-steps", readOnlyMode: true }] });
  expect((await ask("/queues")).headers.get("content-security-policy")).toContain("default-src 'self'");
});

test.each([
  ["/rounds/nonsense/retry", 400],
  [`/rounds/${"0".repeat(64)}/retry`, 404],
  ["/stop", 404],
])("POST %s is answered with %d", async (path, status) => {
  expect((await act(path)).status).toBe(status);
});
