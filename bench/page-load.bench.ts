import { digestOf } from "@quorate/attestation/nouns.fixture";
import { serve } from "@quorate/client/local-server.fixture";
import { TestNetwork } from "@quorate/verdict/network.fixture";
import { formatProof } from "@quorate/verdict/proof";
import { startTestSite } from "../services/site/src/site.fixture.ts";
import { launchBrowser, type WatchedBrowser } from "../test/browser.ts";
import { type Figure, percentile } from "./figure.ts";

const loads = 7;

/** A phone of some years ago behind a slow mobile connection, as Lighthouse's mobile profile has it. */
const slow = { latencyMilliseconds: 150, bytesPerSecond: (1.6 * 1e6) / 8, cpuSlowdown: 4 };
const viewport = { width: 412, height: 823 };

/** How long pages take in Chromium until their largest part is shown, by phones on slow connections; nothing of them is in its cache. */
export async function measure(): Promise<Figure[]> {
  const network = new TestNetwork();
  network.rebuild();
  const proof = formatProof(network.proof());
  await using coordinator = await serve((_request, response) => response.setHeader("content-type", "application/json").end(proof));
  await using site = await startTestSite(network, { coordinatorUrl: coordinator.url });
  await using browser = await launchBrowser();
  const figures: Figure[] = [];
  for (const [name, path] of [
    ["home", "/"],
    ["artifact", `/artifact/${digestOf("reference")}`],
    ["log", "/log"],
  ] as const) {
    const seen: Load[] = [];
    for (let at = 0; at < loads; at += 1) seen.push(await load(browser, `${site.url}${path}`));
    const median = (of: (load: Load) => number) => percentile(seen.map(of), 0.5);
    const connection = 2 * slow.latencyMilliseconds;
    const value = median(({ largestPaint }) => largestPaint);
    figures.push(
      {
        name: `${name}, largest contentful paint`,
        value,
        unit: "ms",
        ratio: connection / value,
        reference: "two round trips of that connection",
      },
      { name: `${name}, loaded before its first paint`, value: median(({ bytesBefore }) => bytesBefore), unit: "bytes" },
      { name: `${name}, of them JavaScript`, value: median(({ scriptBytesBefore }) => scriptBytesBefore), unit: "bytes" },
    );
  }
  return figures;
}

type Load = { largestPaint: number; bytesBefore: number; scriptBytesBefore: number };

async function load(browser: WatchedBrowser, url: string): Promise<Load> {
  await using opened = await browser.open("about:blank", { viewport, deviceScaleFactor: 2, isMobile: true });
  const { page } = opened;
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  const { latencyMilliseconds: latency, bytesPerSecond: downloadThroughput } = slow;
  await session.send("Network.emulateNetworkConditions", {
    offline: false,
    latency,
    downloadThroughput,
    uploadThroughput: downloadThroughput,
  });
  await session.send("Emulation.setCPUThrottlingRate", { rate: slow.cpuSlowdown });
  await page.goto(url, { waitUntil: "load" });
  return await page.evaluate<Load>(measureLoad);
}

/** Runs in the page. */
const measureLoad = `(async () => {
  const largestPaint = await new Promise((resolve) => {
    new PerformanceObserver((list) => resolve(list.getEntries().at(-1).startTime)).observe({ type: "largest-contentful-paint", buffered: true });
  });
  const firstPaint = performance.getEntriesByName("first-contentful-paint")[0].startTime;
  const all = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  const before = all.filter(({ responseEnd }) => responseEnd <= firstPaint);
  const sizeOf = (entries) => entries.reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0);
  return { largestPaint, bytesBefore: sizeOf(before), scriptBytesBefore: sizeOf(before.filter(({ name }) => name.includes("/modules/"))) };
})()`;
