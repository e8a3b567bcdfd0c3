import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { formatVkey } from "@quorate/tlog/note";
import { expect, test } from "vitest";
import {
  type Fetch,
  leafHash,
  openCheckpoint,
  rootFromInclusion,
  rootsFromConsistency,
  TileLog,
  treeHash,
} from "../independent/c2sp-client.ts";
import { append, inLanes, LogConstellation } from "./log-constellation.ts";

const count = 2_600;

const overHttp = (url: string): Fetch => {
  return async (path) => {
    const response = await fetch(`${url}/${path}`);
    return response.ok ? Buffer.from(await response.arrayBuffer()) : void (await response.body?.cancel());
  };
};
const fromDirectory = (directory: string): Fetch => {
  return (path) => readFile(join(directory, path)).catch(() => undefined);
};

test("a client written from the specifications alone accepts the log, over HTTP and as a directory", async () => {
  await using constellation = await LogConstellation.start({ witnesses: 3, quorum: 2 });
  const { policy } = constellation;
  const vkeys = [...policy.logs, ...policy.witnesses].map(({ key }) => formatVkey(key));
  const published = new Map<number, string>();
  await using log = await constellation.startLog({ batchMilliseconds: 10 });
  await inLanes(count, 40, async (number) => {
    const bytes = Buffer.from(`entry ${number} ${"x".repeat(number % 300)}`);
    const { status, checkpoint } = await append(log.url, `key/${number}`, bytes, number % 50 === 0 ? "published" : "sequenced");
    expect(status).toBe(200);
    if (checkpoint !== undefined) published.set(openCheckpoint(checkpoint, vkeys).size, checkpoint);
  });
  await append(log.url, "last", Buffer.from("the last"));

  for (const read of [overHttp(log.url), fromDirectory(join(constellation.dataDirectory, "public"))]) {
    const checkpoint = openCheckpoint(String(await read("checkpoint")), vkeys);
    expect(checkpoint.size).toBe(count + 1);
    expect(checkpoint.signers.length).toBeGreaterThanOrEqual(3);
    const tree = new TileLog(read, checkpoint.size);
    const leaves = (await tree.entries()).map(leafHash);
    expect(treeHash(leaves)).toEqual(checkpoint.root);
    expect(await tree.rangeHash(0, checkpoint.size)).toEqual(checkpoint.root);
    for (const index of [0, 1, 255, 256, 1000, 2047, 2048, count - 1, count]) {
      const leaf = leaves[index] ?? Buffer.alloc(0);
      const claim = { index, size: checkpoint.size, leaf, proof: await tree.inclusion(index) };
      expect(rootFromInclusion(claim)).toEqual(checkpoint.root);
    }
    expect(published.size).toBeGreaterThan(10);
    await acceptsOlder({ read, leaves, older: [...published.values()].map((note) => openCheckpoint(note, vkeys)) });
    await acceptsSizes(tree, leaves, checkpoint);
  }
});

/** Each checkpoint that was ever published can still be read from its own tiles, and is a prefix of each later one. */
async function acceptsOlder({
  read,
  leaves,
  older,
}: {
  read: Fetch;
  leaves: Buffer[];
  older: { size: number; root: Buffer }[];
}): Promise<void> {
  const sorted = older.toSorted((a, b) => a.size - b.size);
  for (const [at, { size, root }] of sorted.entries()) {
    expect(treeHash(leaves.slice(0, size))).toEqual(root);
    const tree = new TileLog(read, size);
    expect(await tree.rangeHash(0, size)).toEqual(root);
    expect((await tree.entries()).length).toBe(size);
    const before = sorted[at - 1];
    if (before === undefined) continue;
    expect(rootsFromConsistency(before, size, await tree.consistency(before.size))).toEqual({ old: before.root, new: root });
  }
}

/** From a sample of sizes, those at the edges of tiles among them, to the whole tree. */
async function acceptsSizes(tree: TileLog, leaves: Buffer[], { size, root }: { size: number; root: Buffer }): Promise<void> {
  const sizes = [1, 2, 3, 7, 8, 255, 256, 257, 511, 512, 1023, 1024, 1025, 2047, 2048, 2049, size - 1, size];
  for (let sampled = 37; sampled < size; sampled += 61) sizes.push(sampled);
  for (const old of sizes) {
    const before = { size: old, root: treeHash(leaves.slice(0, old)) };
    expect(rootsFromConsistency(before, size, await tree.consistency(old))).toEqual({ old: before.root, new: root });
  }
}
