import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatEnvelope, pae, parseEnvelope } from "@quorate/attestation/dsse";
import { formatRuntime } from "@quorate/attestation/runtime-statement";
import { digestOf } from "@quorate/attestation/nouns.fixture";
import { hostIdOf } from "@quorate/protocol/host";
import { type ReportPlace, reportPlaceSchema } from "@quorate/protocol/report-place";
import type { RuntimePredicate } from "@quorate/protocol/runtime";
import { silentLogger } from "@quorate/service/logger";
import { type P256Signer, p256SignerOf } from "@quorate/signing/p256-key";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Fleet, startFleet } from "./start.ts";

const token = "administrators-only";
const newSigner = (): P256Signer => p256SignerOf(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey);

let directory = "";
let fleet: Fleet;
let clock = Date.parse("2026-11-25T15:00:00Z");
const [web, database] = [newSigner(), newSigner()];
const start = () =>
  startFleet(
    { dataDirectory: join(directory, "data"), hostsFile: join(directory, "hosts"), token, host: "127.0.0.1", port: 0, silenceSeconds: 180 },
    { logger: silentLogger, now: () => clock },
  );
const lineOf = (name: string, { spki }: P256Signer) => `host ${name} ${Buffer.from(spki).toString("base64")}\n`;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "quorate-fleet-"));
  await writeFile(join(directory, "hosts"), `# ours\n${lineOf("web1", web)}${lineOf("db1", database)}`);
  fleet = await start();
});
afterEach(async () => {
  await fleet[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const urlOf = ({ spki }: P256Signer) => `${fleet.url}/v1/hosts/${hostIdOf(spki)}`;

async function challengeOf(signer: P256Signer): Promise<ReportPlace> {
  return reportPlaceSchema.parse(await (await fetch(`${urlOf(signer)}/challenge`)).json());
}

function reportOf(signer: P256Signer, challenge: ReportPlace, changes: Partial<RuntimePredicate> = {}): Uint8Array {
  const checkpoint = { origin: "log.example", size: 70, rootSha256: digestOf("root") };
  const payload = formatRuntime("web1", digestOf("state"), {
    outcome: "clean",
    sweptAt: "2026-11-25T15:00:00Z",
    ...challenge,
    processes: 12,
    counts: { verified: 40 },
    findings: [],
    unseen: ["the kernel"],
    checkpoint,
    policy: digestOf("policy"),
    evidence: "software-only",
    ...changes,
  });
  return formatEnvelope({ payload, signatures: [signer.sign(pae(payload))] });
}

async function send(envelope: Uint8Array, to = web): Promise<number> {
  const headers = { "content-type": "application/vnd.dsse+json" };
  return (await fetch(`${urlOf(to)}/reports`, { method: "POST", headers, body: new Uint8Array(envelope) })).status;
}

const basic = (password: string) => ({ headers: { authorization: `Basic ${Buffer.from(`admin:${password}`).toString("base64")}` } });
const authorized = basic(token);
async function stateOf(name: string): Promise<string | undefined> {
  const { hosts } = (await (await fetch(`${fleet.url}/v1/hosts`, authorized)).json()) as { hosts: { name: string; state: string }[] };
  return hosts.find((host) => host.name === name)?.state;
}

test("reports of an enrolled host are taken one after the other, and survive a restart", async () => {
  expect(await stateOf("web1")).toBe("never-reported");
  expect(await send(reportOf(web, await challengeOf(web)))).toBe(200);
  expect(await stateOf("web1")).toBe("clean");
  expect(await send(reportOf(web, await challengeOf(web), { outcome: "tampering" }))).toBe(200);
  const awaited = await challengeOf(web);
  expect(awaited.sequence).toBe(3);
  await fleet[Symbol.asyncDispose]();
  fleet = await start();
  expect(await stateOf("web1")).toBe("tampering");
  expect(await challengeOf(web)).toEqual(awaited);
});

test("a report whose answer was lost may be sent again, and counts once", async () => {
  const report = reportOf(web, await challengeOf(web));
  expect([await send(report), await send(report)]).toEqual([200, 200]);
  expect((await challengeOf(web)).sequence).toBe(2);
});

test("an earlier report is refused, whenever it comes", async () => {
  const first = reportOf(web, await challengeOf(web));
  expect(await send(first)).toBe(200);
  expect(await send(reportOf(web, await challengeOf(web), { outcome: "tampering" }))).toBe(200);
  expect(await send(first)).toBe(409);
  expect(await stateOf("web1")).toBe("tampering");
});

test.each<[string, (challenge: ReportPlace) => Partial<RuntimePredicate>]>([
  ["one that is left out", ({ sequence }) => ({ sequence: sequence + 1 })],
  ["a nonce that was never given out", () => ({ nonce: "0".repeat(32) })],
  ["another report before it", () => ({ previous: digestOf("another") })],
])("a report is refused that has %s", async (_what, changes) => {
  const challenge = await challengeOf(web);
  expect(await send(reportOf(web, challenge, changes(challenge)))).toBe(409);
  expect(await stateOf("web1")).toBe("never-reported");
});

test("a report is refused that was altered, or that another host signed", async () => {
  const challenge = await challengeOf(web);
  expect(await send(reportOf(database, challenge))).toBe(403);
  const tampering = parseEnvelope(reportOf(web, challenge, { outcome: "tampering" }));
  const clean = parseEnvelope(reportOf(web, challenge));
  expect(await send(formatEnvelope({ payload: clean.payload, signatures: tampering.signatures }))).toBe(403);
  expect(await send(new TextEncoder().encode("{}"))).toBe(400);
  expect(await stateOf("web1")).toBe("never-reported");
});

test("one host's report is not another's, and a host that is not enrolled has none", async () => {
  expect(await send(reportOf(web, await challengeOf(web)), database)).toBe(403);
  expect(await send(reportOf(web, await challengeOf(web)), newSigner())).toBe(404);
  await writeFile(join(directory, "hosts"), lineOf("db1", database));
  expect(await send(reportOf(web, { sequence: 1, nonce: "0".repeat(32) }))).toBe(404);
});

test("the service does not start without hosts that it can read", async () => {
  await fleet[Symbol.asyncDispose]();
  await writeFile(join(directory, "hosts"), "host web1 no-key\n");
  await expect(start()).rejects.toThrow(/^reading the enrolled hosts from .*\/hosts: parsing line of enrolled hosts/);
  await rm(join(directory, "hosts"));
  await expect(start()).rejects.toThrow(/ENOENT/);
});

test("a host that has not reported for a while has failed, whatever it said last", async () => {
  expect(await send(reportOf(web, await challengeOf(web)))).toBe(200);
  clock += 180_000;
  expect(await stateOf("web1")).toBe("clean");
  clock += 1;
  expect(await stateOf("web1")).toBe("silent");
});

test("what hosts run is shown to administrators alone", async () => {
  const id = hostIdOf(web.spki);
  for (const path of ["/", "/v1/hosts", `/hosts/${id}`, `/v1/hosts/${id}/history`, "/metrics"]) {
    expect((await fetch(fleet.url + path)).status).toBe(401);
    expect((await fetch(fleet.url + path, basic(`${token}x`))).status).toBe(401);
    expect((await fetch(fleet.url + path, authorized)).status).toBe(200);
  }
});

test("the page says which hosts run exactly what was reproduced, and names what others run; what a host says is no markup", async () => {
  expect(await send(reportOf(web, await challengeOf(web)))).toBe(200);
  const findings = [{ class: "unowned", path: "/tmp/<script>alert(1)</script>", processes: 2, reason: "SHA-256 9f86" }];
  expect(await send(reportOf(database, await challengeOf(database), { outcome: "tampering", findings }), database)).toBe(200);
  const page = await (await fetch(fleet.url, authorized)).text();
  expect(page).toContain("<h1>1 of 2 hosts run exactly what was reproduced</h1>");
  expect(page).toMatch(/<td>unowned<\/td>\s*<td><code>\/tmp\/&lt;script&gt;.*SHA-256 9f86<\/td>\s*<td>db1/);
  expect(page).not.toContain("<script>");
  expect(page.indexOf(">db1</a>")).toBeLessThan(page.indexOf(">web1</a>"));
  for (const signer of [web, database]) expect(page).toContain(`<a href="hosts/${hostIdOf(signer.spki)}">`);
});

type Part = { state: string; since: string; until?: string; reports?: number; report?: RuntimePredicate };
async function historyOf(signer: P256Signer): Promise<Part[]> {
  return ((await (await fetch(`${urlOf(signer)}/history`, authorized)).json()) as { history: Part[] }).history;
}

test("a host's history says what was to be thought of it and since when, silences too, and survives a restart", async () => {
  expect(await historyOf(web)).toEqual([]);
  const at = (seconds: number) => new Date(clock + seconds * 1000).toISOString();
  const times = [at(0), at(60), at(120), at(400)];
  const findings = [{ class: "unowned", path: "/tmp/evil", processes: 1 }];
  expect(await send(reportOf(web, await challengeOf(web)))).toBe(200);
  clock += 60_000;
  // Other programs run, and all of them are what was reproduced.
  expect(await send(reportOf(web, await challengeOf(web), { processes: 13, counts: { verified: 41 } }))).toBe(200);
  clock += 60_000;
  expect(await send(reportOf(web, await challengeOf(web), { outcome: "tampering", findings }))).toBe(200);
  const [, before] = await historyOf(web);
  expect(before).toMatchObject({ state: "clean", since: times[0], until: times[2], reports: 2 });
  clock += 280_000;
  expect(await historyOf(web)).toMatchObject([{ state: "silent", since: times[2] }, { state: "tampering" }, { state: "clean" }]);
  expect(await send(reportOf(web, await challengeOf(web), { outcome: "tampering", findings }))).toBe(200);
  await fleet[Symbol.asyncDispose]();
  fleet = await start();
  expect(await historyOf(web)).toMatchObject([
    { state: "tampering", since: times[3], reports: 1, report: { findings } },
    { state: "silent", since: times[2], until: times[3] },
    { state: "tampering", since: times[2], until: times[2], reports: 1 },
    { state: "clean", since: times[0], until: times[2], reports: 2 },
  ]);
  expect(await historyOf(database)).toEqual([]);
});

test("the page of a host shows its history; what a host says is no markup", async () => {
  const findings = [{ class: "unowned", path: "/tmp/<b>evil</b>", processes: 2 }];
  expect(await send(reportOf(web, await challengeOf(web), { outcome: "tampering", findings }))).toBe(200);
  const page = async () => await (await fetch(`${fleet.url}/hosts/${hostIdOf(web.spki)}`, authorized)).text();
  expect(await page()).toContain("<h1>web1 runs bytes that nobody reproduced");
  expect(await page()).toContain("unowned <code>/tmp/&lt;b&gt;evil&lt;/b&gt;</code>");
  clock += 200_000;
  expect(await page()).toContain("<h1>web1 has not reported in time</h1>");
});

test("Prometheus is told how many hosts are in which state, and how many reports were refused", async () => {
  const metrics = async () => await (await fetch(`${fleet.url}/metrics`, authorized)).text();
  expect(await metrics()).toContain('fleet_hosts{state="never-reported"} 2\n');
  const first = reportOf(web, await challengeOf(web));
  expect(await send(first)).toBe(200);
  expect(await send(reportOf(web, await challengeOf(web), { outcome: "tampering" }))).toBe(200);
  expect(await send(first)).toBe(409);
  expect(await send(new TextEncoder().encode("{}"))).toBe(400);
  const text = await metrics();
  for (const line of ['hosts{state="tampering"} 1', 'hosts{state="never-reported"} 1', 'hosts{state="silent"} 0'])
    expect(text).toContain(`fleet_${line}\n`);
  for (const [decision, count] of Object.entries({ accept: 2, replayed: 1, malformed: 1 }))
    expect(text).toContain(`fleet_reports_total{decision="${decision}"} ${count}\n`);
  clock += 200_000;
  expect(await metrics()).toContain('fleet_hosts{state="silent"} 1\n');
});
