import { parseSha256, type Sha256 } from "@quorate/protocol/digest";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestNetwork, type TestNetwork } from "../network.ts";
import { samples } from "../samples.ts";

let net: TestNetwork;
const published = new Map<string, Sha256>();

beforeAll(async () => {
  net = await startTestNetwork([samples.steady, samples.drifted]);
  for (const { source } of [samples.steady, samples.drifted]) {
    const { rounds } = await net.rebuild(source);
    published.set(source, parseSha256(rounds[0]?.verdict?.artifacts[0]?.reference ?? ""));
  }
});
afterAll(async () => {
  await net?.[Symbol.asyncDispose]();
});

async function page(path: string): Promise<string> {
  const response = await fetch(`${net.network.siteUrl}${path}`);
  return await response.text();
}

const artifactPath = (source: string): string => `/artifact/${published.get(source)}`;

describe("the site of a network", () => {
  test("shows the verdict of a real rebuild, and who says what, soon after it is in the log", async () => {
    await expect.poll(() => page(artifactPath(samples.steady.source)), { timeout: 10_000 }).toContain("3 of 3 operators rebuilt");
    await expect.poll(() => page(artifactPath(samples.drifted.source)), { timeout: 10_000 }).toContain("agree on other bytes than those");
    const text = await page(artifactPath(samples.steady.source));
    for (const operator of net.network.operators) expect(text).toContain(operator);
  });

  // Last: nothing of the coordinator is asked after it.
  test("can be read while the coordinator is down", async () => {
    const coordinator = net.network.child("coordinator");
    await coordinator?.stop();
    expect(await page(artifactPath(samples.steady.source))).toContain("3 of 3 operators rebuilt");
    expect(await page(`/search?q=${samples.steady.source}`)).toContain(published.get(samples.steady.source));
    expect(await page(`/proof/${published.get(samples.steady.source)}`)).toContain("coordinator");
  });
});
