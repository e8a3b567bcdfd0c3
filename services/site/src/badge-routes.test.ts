import { digestOf, sampleTarget } from "@quorate/attestation/nouns.fixture";
import type { VerdictLine } from "@quorate/protocol/verdict-line";
import { TestNetwork } from "@quorate/verdict/network.fixture";
import { afterAll, beforeAll, expect, test } from "vitest";
import { outcomes } from "./outcome.ts";
import { startTestSite, type TestSite } from "./site.fixture.ts";
import { formatOutcomeBadge, formatSuiteBadge, summaryOutcome } from "./verdict-badge.ts";

let site: TestSite;

beforeAll(async () => {
  const network = new TestNetwork();
  network.rebuild();
  site = await startTestSite(network);
});
afterAll(() => site?.[Symbol.asyncDispose]());

test("a badge says how a package stands, and of what is not known that there is no verdict", async () => {
  const { text, headers } = await site.get("/v1/badges/package/mailgraph");
  expect(headers.get("content-type")).toBe("image/svg+xml; charset=utf-8");
  expect(text).toContain("<title>rebuilt by others: reproduced</title>");
  const { text: unknown } = await site.get("/v1/badges/package/%3Cscript%3Ealert(1)%3C%2Fscript%3E");
  expect(unknown).toContain("no verdict");
  expect(unknown).not.toContain("script");
});

test("a badge says how a published file stands, and nothing of one that was built instead or never heard of", async () => {
  const titleOf = async (sha256: string) => /<title>(.*)<[/]title>/.exec((await site.get(`/v1/badges/artifact/${sha256}`)).text)?.[1];
  expect(await titleOf(sampleTarget.artifacts[0]?.sha256 ?? "")).toBe("rebuilt by others: reproduced");
  expect(await titleOf(digestOf("another"))).toBe("rebuilt by others: no verdict");
  expect(await titleOf(digestOf("never"))).toBe("rebuilt by others: no verdict");
  expect((await site.get("/v1/badges/artifact/zz")).status).toBe(400);
});

test("no badge needs a style that the site's policy forbids", () => {
  for (const outcome of [...outcomes, undefined]) expect(formatOutcomeBadge(outcome)).not.toMatch(/style|class|<script/);
});

test("a badge shows what says most against the newest version, by the newest verdict on each build", () => {
  const { distribution, suite, source, version } = sampleTarget;
  const about = { index: 7, target: digestOf("target"), distribution, suite, source, version, architecture: "amd64" };
  const line: VerdictLine = { ...about, outcome: "reproduced", decidedAt: "2026-11-23T09:00:00Z", dissent: [], artifacts: [] };
  const older = { ...line, version: "1.0", outcome: "mismatch" as const };
  expect(summaryOutcome([line, { ...line, outcome: "failed" }, older])).toBe("reproduced");
  expect(summaryOutcome([line, { ...line, architecture: "arm64", outcome: "unreproducible" }, older])).toBe("unreproducible");
  expect(summaryOutcome([older, line])).toBe("reproduced");
  expect(summaryOutcome([])).toBeUndefined();
});

test("a badge says how much of a suite reproduces, and of one that nobody submitted that there is no verdict", async () => {
  const { text, status } = await site.get("/v1/badges/suite/debian/bookworm");
  expect(status).toBe(200);
  expect(text).toContain("<title>rebuilt by others: 100 % of 1</title>");
  expect((await site.get("/v1/badges/suite/debian/%3Cscript%3E")).text).toContain("<title>rebuilt by others: no verdict</title>");
});

test("a suite's badge counts what has a verdict, never says that all of it reproduces when one does not, and shows each outcome by its share", () => {
  const counts = new Map([
    ["reproduced", 1999],
    ["mismatch", 1],
    ["pending", 500],
  ] as const);
  const badge = formatSuiteBadge(counts);
  expect(badge).toContain("<title>rebuilt by others: 99 % of 2\u202f000</title>");
  const widths = [...badge.matchAll(/<rect x="[\d.]+" width="([\d.]+)" height="20" fill="#/g)].map(([, width]) => Number(width));
  expect(widths).toHaveLength(2);
  expect((widths[0] ?? 0) / (widths[1] ?? 0)).toBeGreaterThan(100);
  expect(formatSuiteBadge(new Map([["pending", 3]]))).toContain("no verdict");
});
