import { hash } from "node:crypto";
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startLogWithWitnesses, temporaryDirectory } from "../services/coordinator/src/servers.fixture.ts";
import { countFlushes } from "./count-flushes.ts";
import { type Figure, percentile, ratePerSecond } from "./figure.ts";
import { entryBytes, LogLoad } from "./log-load.ts";

const single = { entries: 10_000, requestsAtOnce: 128 };
const bundled = { entries: 100_000, requestsAtOnce: 16 };
/** Enough batches for several journals to be retired. */
const counted = { entries: 130_000, requestsAtOnce: 16 };
const samples = 200;

/**
 * The log as it runs, with three witnesses, each a process of its own on this machine; this process is the client and shares the CPUs. Each
 * entry has a key of its own, and is acknowledged when it is durable under a signed checkpoint.
 */
export async function measure(): Promise<Figure[]> {
  await using resources = new AsyncDisposableStack();
  const directory = await temporaryDirectory("bench-log");
  resources.defer(() => rmSync(directory, { recursive: true, force: true }));
  const log = await startLogWithWitnesses((name) => join(directory, name), resources, 3);
  using load = new LogLoad(log);
  await load.bundledEntriesPerSecond("warm", 5_000, bundled.requestsAtOnce);
  await load.append("warm", "published");

  const idle = { sequenced: await timesOf(load, "sequenced"), published: await timesOf(load, "published") };
  const answers = await load.answersPerSecond(single.entries, single.requestsAtOnce);
  const singles = await load.entriesPerSecond("single", single.entries, single.requestsAtOnce);
  const { rate, times } = await underLoad(load);
  const limits = { answers, flushes: flushesPerSecond(), hashes: hashesPerSecond() };
  return [
    ...durableFigures({ singles, rate }, limits),
    ...(["sequenced", "published"] as const).flatMap((wait) => latencyFigures(`append to ${wait}, idle log`, idle[wait], limits.flushes)),
    ...latencyFigures(`append to published, under the load of ${bundled.requestsAtOnce} bundles`, times, limits.flushes),
    ...(await flushFigures(load, log.pid)),
  ];
}

function durableFigures(rates: { singles: number; rate: number }, limits: { answers: number; flushes: number; hashes: number }): Figure[] {
  const name = `durable entries of ${entryBytes} B`;
  const unit = "entries/s";
  const beside = (value: number) => [
    { ratio: value / limits.flushes, reference: "4 KiB append + fdatasync" },
    { ratio: value / limits.hashes, reference: `one-shot SHA-256 of ${entryBytes} B` },
  ];
  const onePerRequest = { name: `${name}, one a request`, value: rates.singles, unit };
  const bundle = { name: `${name}, 128 a request`, value: rates.rate, unit };
  return [
    { ...onePerRequest, ratio: rates.singles / limits.answers, reference: "a route of the same server that does nothing" },
    ...beside(rates.rate).map((reference) => ({ ...bundle, ...reference })),
  ];
}

function latencyFigures(name: string, times: readonly number[], flushes: number): Figure[] {
  return ([0.5, 0.99] as const).map((share) => {
    const value = percentile(times, share);
    const ratio = 1000 / flushes / value;
    return { name: `${name}, ${share === 0.5 ? "median" : "99 %"}`, value, unit: "ms", ratio, reference: "one 4 KiB append + fdatasync" };
  });
}

async function timesOf(load: LogLoad, wait: "sequenced" | "published"): Promise<number[]> {
  const times: number[] = [];
  for (let number = 0; number < samples; number += 1) times.push(await load.append(`${wait}/${number}`, wait));
  return times;
}

/** How long one writer waits for a published checkpoint again and again, while others keep the log as busy as they can. */
async function underLoad(load: LogLoad): Promise<{ rate: number; times: number[] }> {
  const times: number[] = [];
  const busy = new AbortController();
  const measuring = load.bundledEntriesPerSecond("bundled", bundled.entries, bundled.requestsAtOnce).finally(() => busy.abort());
  for (let number = 0; !busy.signal.aborted; number += 1) times.push(await load.append(`meanwhile/${number}`, "published"));
  return { rate: await measuring, times };
}

/** Under strace, which slows the log down: the counts are true, the batches smaller or larger than without. */
async function flushFigures(load: LogLoad, pid: number | undefined): Promise<Figure[]> {
  if (pid === undefined) throw new Error("counting flushes: the log has no process id");
  const before = await load.batches();
  const flushes = await countFlushes(pid, async () => {
    await load.bundledEntriesPerSecond("counted", counted.entries, counted.requestsAtOnce);
  });
  const batches = (await load.batches()) - before;
  const each = (name: string, value: number): Figure => ({ name, value: value / batches, unit: "flushes/batch" });
  return [
    { name: "entries in a batch, while flushes are counted", value: counted.entries / batches, unit: "entries" },
    each("flushes before a batch is acknowledged or published", flushes.journal + flushes.lockStore),
    each("flushes of tiles, later and in the background", flushes.tiles),
    each("flushes of every kind", flushes.journal + flushes.lockStore + flushes.tiles),
  ];
}

function hashesPerSecond(): number {
  const entry = Buffer.alloc(entryBytes, 1);
  return ratePerSecond(() => hash("sha256", entry, "binary"));
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
