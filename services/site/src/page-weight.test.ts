import { gunzipSync } from "node:zlib";
import { digestOf, sampleTarget } from "@quorate/attestation/nouns.fixture";
import { operatorNamed, TestNetwork } from "@quorate/verdict/network.fixture";
import { afterAll, beforeAll, expect, it } from "vitest";
import { loadAssets } from "./assets.ts";
import { startTestSite, type TestSite } from "./site.fixture.ts";

let site: TestSite;
const scripts = new Map<string, { code: string; bytes: number }>();

beforeAll(async () => {
  const network = new TestNetwork();
  network.rebuild();
  site = await startTestSite(network);
  for (const { path, compressed } of (await loadAssets()).all) {
    scripts.set(path, { code: gunzipSync(compressed).toString(), bytes: compressed.length });
  }
});
afterAll(() => site?.[Symbol.asyncDispose]());

/** A module and what it cannot run without: imports that are stated, and not those that are called for. */
function withImports(path: string, seen = new Set<string>()): Set<string> {
  if (seen.has(path)) return seen;
  seen.add(path);
  for (const [, imported] of (scripts.get(path)?.code ?? "").matchAll(
    /^(?:import|export)\s*(?:[\w$\s{},*]*?\bfrom\s*)?["']([^"'\n]+)["']/gm,
  )) {
    withImports(imported ?? "", seen);
  }
  return seen;
}

it.each([
  "/",
  `/artifact/${digestOf("reference")}`,
  "/package/mailgraph",
  "/search?q=mail",
  "/suites",
  `/suite/${sampleTarget.distribution}/${sampleTarget.suite}`,
  "/operators",
  `/operator/${operatorNamed("ada")}`,
  "/live",
  "/compare/9/11",
  "/log",
  "/log/entry/9",
  "/docs",
  "/docs/api",
  "/docs/cli",
  "/docs/ARCHITECTURE",
])("%s has at most 30 kB of JavaScript and 60 kB in all, compressed, before it is shown whole", async (path) => {
  const response = await fetch(`${site.url}${path}`, { headers: { "accept-encoding": "gzip" } });
  const page = await response.text();
  const sizeOf = (paths: Iterable<string>) => [...paths].reduce((sum, one) => sum + (scripts.get(one)?.bytes ?? 0), 0);
  const modules = [...page.matchAll(/<script type="module" src="([^"]+)"/g)].flatMap(([, src]) => [...withImports(src ?? "")]);
  const others = [...page.matchAll(/<link [^>]*href="(\/assets\/[^"]+)"/g)].map(([, href]) => href ?? "");
  const [javaScript, rest] = [sizeOf(new Set(modules)), sizeOf(others)];
  expect(modules.length).toBeGreaterThan(0);
  expect(rest).toBeGreaterThan(0);
  expect(response.headers.get("content-encoding")).toBe("gzip");
  expect(javaScript).toBeLessThanOrEqual(30_000);
  expect(javaScript + rest + Number(response.headers.get("content-length"))).toBeLessThanOrEqual(60_000);
});
