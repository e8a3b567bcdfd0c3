import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inLanes, LogConstellation } from "../test/integration/log-constellation.ts";
import { startLogProcess } from "../test/integration/log-process.ts";
import { type Figure, percentile, ratePerSecond } from "./figure.ts";

const writers = 128;
const durableEntries = 20_000;
const publishedEntries = 300;
const entryBytes = 1_000;

/**
 * The log as a process, over HTTP, with three witnesses in this process and strict idempotency keys: how many entries it makes durable for many
 * writers, and how long one writer waits for an index and for a published checkpoint.
 */
export async function measure(): Promise<Figure[]> {
  await using constellation = await LogConstellation.start({ witnesses: 3, quorum: 2 });
  await using log = await startLogProcess(constellation, 100);
  const agent = new Agent({ keepAlive: true, maxSockets: writers });
  const append = (key: string, wait: string) =>
    timed(() => post(new URL(`/add?wait=${wait}`, log.url), { key, agent, token: constellation.config.token }));
  await append("warm", "published");

  const startedAt = performance.now();
  await inLanes(durableEntries, writers, async (number) => void (await append(`many/${number}`, "sequenced")));
  const rate = (durableEntries * 1000) / (performance.now() - startedAt);
  const times: Record<string, number[]> = { sequenced: [], published: [] };
  for (const [wait, samples] of Object.entries(times)) {
    for (let number = 0; number < publishedEntries; number += 1) samples.push(await append(`${wait}/${number}`, wait));
  }
  agent.destroy();
  const flushes = flushesPerSecond();
  return [
    {
      name: `durable entries of ${entryBytes} B, ${writers} writers`,
      value: rate,
      unit: "entries/s",
      ratio: rate / flushes,
      reference: "4 KiB append + fdatasync",
    },
    ...Object.entries(times).flatMap(([wait, samples]) => [
      { name: `append to ${wait}, one writer, median`, value: percentile(samples, 0.5), unit: "ms" },
      { name: `append to ${wait}, one writer, 99 %`, value: percentile(samples, 0.99), unit: "ms" },
    ]),
  ];
}

async function timed(act: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await act();
  return performance.now() - startedAt;
}

/** `fetch` would cost this process more than the log spends on the entry. */
function post(url: URL, { key, agent, token }: { key: string; agent: Agent; token: string }): Promise<void> {
  const body = Buffer.from(key.padEnd(entryBytes, "."));
  const headers = {
    authorization: `Bearer ${token}`,
    "idempotency-key": key,
    "content-type": "application/octet-stream",
    "content-length": body.length,
  };
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: "POST", agent, headers }, (answer) => {
      answer.resume();
      answer.on("error", reject);
      answer.on("end", () => (answer.statusCode === 200 ? resolve() : reject(new Error(`appending ${key}: ${answer.statusCode}`))));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

function flushesPerSecond(): number {
  const directory = mkdtempSync(join(tmpdir(), "quorate-bench-"));
  const file = openSync(join(directory, "flushes"), "w");
  const block = Buffer.alloc(4_096);
  const rate = ratePerSecond(() => {
    writeSync(file, block);
    fdatasyncSync(file);
  });
  closeSync(file);
  rmSync(directory, { recursive: true });
  return rate;
}
