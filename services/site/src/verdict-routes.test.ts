import { digestOf, manyArtifacts, sampleTarget } from "@quorate/attestation/nouns.fixture";
import { serve } from "@quorate/client/local-server.fixture";
import { parseSha256, type Sha256 } from "@quorate/protocol/digest";
import { verdictLineSchema, verdictPageSchema } from "@quorate/protocol/verdict-line";
import { problemSchema } from "@quorate/protocol/problem";
import { operatorNamed, TestNetwork } from "@quorate/verdict/network.fixture";
import { afterAll, beforeAll, expect, it, test } from "vitest";
import { startTestSite, type TestSite } from "./site.fixture.ts";

const names = ["ada", "bert", "cyd"];
const network = new TestNetwork();
let site: TestSite;

beforeAll(async () => {
  network.appendPolicy();
  for (const name of names) network.enrol(name);
  for (const source of ["first", "second", "third"]) {
    const target = { ...sampleTarget, source };
    network.appendTarget(target);
    network.runRound(network.roundFor(target), names, (name) => ({
      result: { source },
      ...(source === "second" && name === "cyd" && { digest: "another" }),
    }));
  }
  site = await startTestSite(network);
});
afterAll(() => site?.[Symbol.asyncDispose]());

const lines = { accept: "application/x-ndjson" };
const page = async (query: string) => verdictPageSchema.parse(JSON.parse((await site.get(`/v1/verdicts${query}`)).text));
const parseLines = (text: string) =>
  text
    .split("\n")
    .filter(Boolean)
    .map((line) => verdictLineSchema.parse(JSON.parse(line)));

test("all verdicts are there with what they are about, whoever does not follow them", async () => {
  const { verdicts, next, size } = await page("");
  expect({ next, size }).toEqual({ next: network.entries.length, size: network.entries.length });
  expect(verdicts.map(({ source, outcome }) => `${source} ${outcome}`)).toEqual([
    "first reproduced",
    "second reproduced",
    "third reproduced",
  ]);
  expect(verdicts[1]).toMatchObject({
    suite: "bookworm",
    dissent: [operatorNamed("cyd")],
    artifacts: [{ package: "mailgraph", sha256: digestOf("reference"), outcome: "reproduced" }],
  });
});

test("a query of 4000 digits is one too", async () => {
  expect((await site.get(`/v1/verdicts?since=${"9".repeat(4000)}`)).status).toBe(400);
});

test("following `next` gives every verdict once, whatever the size of a page", async () => {
  const seen: string[] = [];
  for (let since = 0, size = 1; since < size;) {
    const part = await page(`?limit=1&since=${since}`);
    seen.push(...part.verdicts.map(({ source }) => source));
    [since, size] = [part.next, part.size];
  }
  expect(seen).toEqual(["first", "second", "third"]);
});

test("lines that broke off go on after the index of the last", async () => {
  const { text, headers } = await site.get("/v1/verdicts", lines);
  expect(headers.get("content-type")).toBe("application/x-ndjson");
  expect(headers.get("link")).toBe(`</v1/verdicts?since=${network.entries.length}>; rel="next"`);
  const [first, ...others] = parseLines(text);
  const { text: rest } = await site.get(`/v1/verdicts?since=${(first?.index ?? 0) + 1}`, lines);
  expect(parseLines(rest)).toEqual(others);
  expect((await site.get("/v1/verdicts?since=999999999999999", lines)).text).toBe("");
});

test("whoever has the newest state is told so, by tag or time; whoever reads gzip gets it", async () => {
  const first = await site.get("/v1/verdicts");
  const known = { etag: first.headers.get("etag") ?? "", time: first.headers.get("last-modified") ?? "" };
  expect((await site.get("/v1/verdicts", { "if-none-match": known.etag })).status).toBe(304);
  expect((await site.get("/v1/verdicts", { "if-modified-since": known.time })).status).toBe(304);
  expect((await site.get("/v1/verdicts", { "if-none-match": known.etag, ...lines })).status).toBe(200);
  for (const accept of ["application/json", "application/x-ndjson"]) {
    const compressed = await site.get("/v1/verdicts", { accept, "accept-encoding": "gzip" });
    expect(compressed.headers.get("content-encoding")).toBe("gzip");
    expect(compressed.text).toBe((await site.get("/v1/verdicts", { accept, "accept-encoding": "identity" })).text);
  }
});

test.each([
  "?since=-1",
  "?since=1e3",
  "?since=",
  "?since=1&since=2",
  "?since=9999999999999999",
  "?limit=0",
  "?limit=10001",
  "?limit=many",
  "?x=%3Cb%3E",
  "?since=%E2%80%AE1",
])("%s is answered by a problem with a stable type", async (query) => {
  const { status, text, headers } = await site.get(`/v1/verdicts${query}`);
  expect(status).toBe(400);
  expect(headers.get("content-type")).toBe("application/problem+json");
  expect(problemSchema.parse(JSON.parse(text)).type).toBe("https://quorate.dev/problems/invalid-request");
});

test("pages of other origins may read, and may not write", async () => {
  const { headers, text } = await site.get("/v1/nothing", { origin: "https://elsewhere.example" });
  expect(headers.get("access-control-allow-origin")).toBe("*");
  expect(problemSchema.parse(JSON.parse(text)).type).toBe("https://quorate.dev/problems/not-found");
  const preflight = await fetch(`${site.url}/v1/verdicts`, { method: "OPTIONS" });
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get("access-control-allow-methods")).toBe("GET, HEAD");
  expect((await site.get("/")).headers.get("access-control-allow-origin")).toBeNull();
});

it("gives a verdict whose target was opened late to whoever had read past it", async () => {
  const late = new TestNetwork();
  late.appendPolicy();
  for (const name of names) late.enrol(name);
  const [artifact] = sampleTarget.artifacts;
  if (artifact === undefined) throw new Error("the sample has an artifact");
  const target = { ...sampleTarget, artifacts: manyArtifacts.map(({ name, ...named }) => ({ ...artifact, ...named, file: name })) };
  late.appendTarget(target);
  late.runRound(late.roundFor(target), names, () => ({ result: { artifacts: manyArtifacts } }));
  const kept = new Map<Sha256, Uint8Array>();
  await using coordinator = await serve(({ url = "" }, response) => {
    const digest = /[0-9a-f]{64}/.exec(url)?.[0];
    const bytes = digest === undefined ? undefined : kept.get(parseSha256(digest));
    response.writeHead(bytes === undefined ? 404 : 200).end(bytes);
  });
  await using following = await startTestSite(late, { coordinatorUrl: coordinator.url });
  const read = async (since: number) => verdictPageSchema.parse(JSON.parse((await following.get(`/v1/verdicts?since=${since}`)).text));
  const before = await read(0);
  expect(before.verdicts).toEqual([]);
  const modified = async () => (await following.get("/v1/verdicts")).headers.get("last-modified");
  expect(await modified()).toBeNull();
  for (const [digest, bytes] of late.largeEnvelopes) kept.set(digest, bytes);
  await expect.poll(async () => (await read(before.next)).verdicts.length, { timeout: 10_000 }).toBe(1);
  await expect.poll(modified, { timeout: 10_000 }).not.toBeNull();
});
