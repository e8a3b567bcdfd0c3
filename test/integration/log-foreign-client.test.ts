import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { formatVkey } from "@quorate/tlog/note";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import {
  type Fetch,
  leafHash,
  openCheckpoint,
  prefixHashes,
  rootFromInclusion,
  rootsFromConsistency,
  TileLog,
  type Tree,
  treeHash,
} from "../independent/c2sp-client.ts";
import { append, inLanes, LogConstellation } from "./log-constellation.ts";

// What a client that was written from the specifications alone makes of a log of 2,601 entries, of its directory and of a mirror of it:
//
// - in each of the three places: every entry, and the inclusion proof of each in the whole tree; the consistency proof from every size to the
//   whole tree; every checkpoint that was published on the way, read from its own tiles, with the proof to the next one
// - once, since the files are the same: inclusion of every entry in every tree of up to 96 entries; consistency between all sizes up to 300,
//   which is beyond the first full tile; and between all sizes at the edges of tiles and a sample of the others

const count = 2_600;
const program = join(import.meta.dirname, "../../services/cli/src/main.ts");

const overHttp = (url: string): Fetch => {
  return async (path) => {
    const response = await fetch(`${url}/${path}`);
    return response.ok ? Buffer.from(await response.arrayBuffer()) : void (await response.body?.cancel());
  };
};
const fromDirectory = (directory: string): Fetch => {
  return (path) => readFile(join(directory, path)).catch(() => undefined);
};

const owned = new AsyncDisposableStack();
const entryOf = (number: number) => Buffer.from(`entry ${number} ${"x".repeat(number % 300)}`);
let vkeys: string[];
/** Every published checkpoint that was seen, the smallest first. */
let published: Tree[];
let places: Record<"over HTTP" | "as a directory" | "from a mirror", Fetch>;

beforeAll(async () => {
  const constellation = owned.use(await LogConstellation.start({ witnesses: 3, quorum: 2 }));
  const { policy, policyText, dataDirectory, directory } = constellation;
  vkeys = [...policy.logs, ...policy.witnesses].map(({ key }) => formatVkey(key));
  const log = owned.use(await constellation.startLog({ batchMilliseconds: 10 }));
  const trees = new Map<number, Tree>();
  await inLanes(count, 40, async (number) => {
    const { status, checkpoint } = await append(log.url, `key/${number}`, entryOf(number), number % 50 === 0 ? "published" : "sequenced");
    if (status !== 200) throw new Error(`appending entry ${number}: ${status}`);
    if (checkpoint === undefined) return;
    const tree = openCheckpoint(checkpoint, vkeys);
    trees.set(tree.size, tree);
  });
  await append(log.url, "last", entryOf(count));
  published = [...trees.values()].toSorted((a, b) => a.size - b.size);
  await writeFile(join(directory, "policy"), policyText);
  const mirror = owned.use(await startMirror(["--log", log.url, "--policy", join(directory, "policy")], join(directory, "mirror")));
  places = {
    "over HTTP": overHttp(log.url),
    "as a directory": fromDirectory(join(dataDirectory, "public")),
    "from a mirror": overHttp(mirror.url),
  };
});
afterAll(() => owned.disposeAsync());

/** `quorate log mirror --serve` as a process of its own, once it has copied the log. */
async function startMirror(words: readonly string[], directory: string): Promise<AsyncDisposable & { url: string }> {
  const parameters = [program, "log", "mirror", directory, ...words, "--serve", "0", "--json"];
  const child = spawn(process.execPath, parameters, { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  let url = "";
  for await (const line of createInterface({ input: child.stdout })) {
    const said = z.object({ url: z.string().optional(), added: z.int().optional() }).parse(JSON.parse(line));
    url = said.url ?? url;
    if (said.added !== undefined) break;
  }
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

async function readTree(read: Fetch): Promise<{ whole: Tree; tree: TileLog; leaves: Buffer[]; roots: Buffer[] }> {
  const whole = openCheckpoint(String(await read("checkpoint")), vkeys);
  const tree = new TileLog(read, whole.size);
  const leaves = (await tree.entries()).map(leafHash);
  return { whole, tree, leaves, roots: prefixHashes(leaves) };
}

describe.each(["over HTTP", "as a directory", "from a mirror"] as const)(
  "a client written from the specifications alone accepts, %s,",
  (place) => {
    test("the checkpoint with its cosignatures, every entry, and each one's inclusion", async () => {
      const read = places[place];
      const { signers, ...checkpoint } = openCheckpoint(String(await read("checkpoint")), vkeys);
      expect(checkpoint).toMatchObject({ origin: "log.example/test", size: count + 1 });
      expect(signers.length).toBeGreaterThanOrEqual(3);
      const { whole, tree, leaves } = await readTree(read);
      const expected = Array.from({ length: count + 1 }, (_, number) => leafHash(entryOf(number)).toString("hex"));
      expect(leaves.map((leaf) => leaf.toString("hex")).toSorted()).toEqual(expected.toSorted());
      expect(treeHash(leaves)).toEqual(whole.root);
      expect(await tree.rangeHash(0, whole.size)).toEqual(whole.root);
      for (const [index, leaf] of leaves.entries()) {
        const found = rootFromInclusion({ index, size: whole.size, leaf, proof: await tree.inclusion(index) });
        if (!found.equals(whole.root)) throw new Error(`entry ${index} is not proved`);
      }
    });

    test("the consistency of every size with the whole tree", async () => {
      const { whole, tree, roots } = await readTree(places[place]);
      const pairs = Array.from({ length: whole.size }, (_, at): Pair => [at + 1, whole.size]);
      expect(await unprovedPairs(tree, roots, pairs)).toEqual([]);
    });

    test("every checkpoint that was published before, from its own tiles", async () => {
      const read = places[place];
      const { leaves } = await readTree(read);
      expect(published.length).toBeGreaterThan(10);
      for (const [at, { size, root }] of published.entries()) {
        expect(treeHash(leaves.slice(0, size))).toEqual(root);
        const older = new TileLog(read, size);
        expect(await older.rangeHash(0, size)).toEqual(root);
        expect((await older.entries()).length).toBe(size);
        const before = published[at - 1];
        if (before === undefined) continue;
        expect(rootsFromConsistency(before, size, await older.consistency(before.size))).toEqual({ old: before.root, new: root });
      }
    });
  },
);

describe("the client finds proofs", () => {
  test("of every entry in every tree of up to 96 entries", async () => {
    const { tree, leaves, roots } = await readTree(places["as a directory"]);
    const unproved: Pair[] = [];
    for (let size = 1; size <= 96; size += 1) {
      for (const [index, leaf] of leaves.slice(0, size).entries()) {
        const proof = await tree.inclusion(index, [0, size]);
        if (!rootFromInclusion({ index, size, leaf, proof }).equals(rootOf(roots, size))) unproved.push([index, size]);
      }
    }
    expect(unproved).toEqual([]);
  });

  test("of consistency between all sizes up to 300, and between all at the edges of tiles and a sample of the others", async () => {
    const { whole, tree, roots } = await readTree(places["as a directory"]);
    const small = Array.from({ length: 300 }, (_, at) => at + 1);
    const sizes = [1, 255, 256, 257, 511, 512, 513, 767, 768, 769, 1023, 1024, 1025, 2047, 2048, 2049, whole.size - 1, whole.size];
    for (let sampled = 37; sampled < whole.size; sampled += 61) sizes.push(sampled);
    expect(await unprovedPairs(tree, roots, [...pairsOf(small), ...pairsOf(sizes)])).toEqual([]);
  });
});

type Pair = readonly [smaller: number, larger: number];

function pairsOf(sizes: readonly number[]): Pair[] {
  return sizes.flatMap((size) => sizes.flatMap((old): Pair[] => (old <= size ? [[old, size]] : [])));
}

/** Those of the pairs of sizes for which no proof shows that the larger tree extends the smaller. */
async function unprovedPairs(tree: TileLog, roots: readonly Buffer[], pairs: readonly Pair[]): Promise<Pair[]> {
  const unproved: Pair[] = [];
  for (const [old, size] of pairs) {
    const proof = await tree.consistency(old, [0, size]);
    const found = rootsFromConsistency({ size: old, root: rootOf(roots, old) }, size, proof);
    if (!found.old.equals(rootOf(roots, old)) || !found.new.equals(rootOf(roots, size))) unproved.push([old, size]);
  }
  return unproved;
}

function rootOf(roots: readonly Buffer[], size: number): Buffer {
  const root = roots[size];
  if (root === undefined) throw new Error(`there is no tree of ${size}`);
  return root;
}
