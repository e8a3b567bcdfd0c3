import { join } from "node:path";
import { startClusterServers } from "@quorate/log/cluster.fixture";
import type { ClusterServers } from "@quorate/log/cluster.fixture";
import { utf8 } from "@quorate/protocol/utf8";
import { createNoteKey, verifyNoteSignature } from "@quorate/signing/note-key";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { hashFrom } from "@quorate/tlog/hash";
import { verifyConsistency, verifyInclusion } from "@quorate/tlog/merkle";
import { consistencyProofFromTiles, inclusionProofFromTiles } from "@quorate/tlog/tile-proof";
import { formatVkey } from "@quorate/tlog/note";
import { parseTlogPolicy, verifyCosignedCheckpoint } from "@quorate/tlog/tlog-policy";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { allEntries, append, inLanes, LogConstellation, publishedCheckpoint } from "./log-constellation.ts";

const entry = (number: number) => utf8(`{"entry":${number}}`);

function tileReader(url: string) {
  return async (path: string) => {
    const response = await fetch(`${url}/${path}`);
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  };
}

async function checkpointOf(url: string, constellation: LogConstellation) {
  const checkpoint = await publishedCheckpoint(url, constellation.policy);
  if (checkpoint === undefined) throw new Error("the log serves no checkpoint");
  return checkpoint;
}

let servers: ClusterServers;
beforeAll(async () => {
  servers = await startClusterServers();
});
afterAll(() => servers[Symbol.asyncDispose]());

/** An object store takes some hundredths of a second for each batch's files: fewer entries, the same guarantees. */
const backends = [
  { name: "a directory", newStores: async () => undefined, manyEntries: 3_000 },
  { name: "S3 and PostgreSQL", newStores: () => servers.newStores(), manyEntries: 300 },
];

describe.each(backends)("a log in $name", ({ newStores, manyEntries }) => {
  test("an appended entry is published under the witnesses' quorum, with an inclusion proof from the tiles", async () => {
    await using constellation = await LogConstellation.start({ witnesses: 3, quorum: 2, stores: await newStores() });
    await using log = await constellation.startLog();
    await expect.poll(async () => (await fetch(`${log.url}/health/ready`)).status).toBe(200);

    const answer = await append(log.url, "target/1", entry(1));
    expect(answer).toMatchObject({ status: 200, index: 0, duplicate: false });
    const { checkpoint, witnesses } = verifyCosignedCheckpoint(answer.checkpoint ?? "", constellation.policy, verifyNoteSignature);
    expect(witnesses.length).toBe(3);
    const leaf = nodeHasher.leaf(entry(1));
    expect(Buffer.from(leaf).toString("hex")).toBe(answer.leafHash);
    const proof = await inclusionProofFromTiles(0, { size: checkpoint.size, readTile: tileReader(log.url) });
    verifyInclusion({ index: 0, size: checkpoint.size, leaf: hashFrom(leaf), proof, root: checkpoint.root });
    expect(constellation.failures).toEqual([]);
  });

  test("many entries from many writers keep their indices, over a restart too", async () => {
    await using constellation = await LogConstellation.start({ witnesses: 3, quorum: 2, stores: await newStores() });
    const indices = new Map<number, number>();
    let before;
    {
      await using log = await constellation.startLog();
      await append(log.url, "first", entry(-1));
      await inLanes(manyEntries, 48, async (number) => {
        const answer = await append(log.url, `key/${number}`, entry(number), number % 10 === 0 ? "published" : "sequenced");
        expect(answer.status).toBe(200);
        indices.set(answer.index ?? -1, number);
      });
      await append(log.url, "last", entry(-2));
      before = await checkpointOf(log.url, constellation);
      expect(before.size).toBe(manyEntries + 2);
    }
    await using log = await constellation.startLog();
    expect((await append(log.url, "one-more", entry(-3))).status).toBe(200);
    const after = await checkpointOf(log.url, constellation);
    expect(after.size).toBe(manyEntries + 3);
    const proof = await consistencyProofFromTiles(before.size, { size: after.size, readTile: tileReader(log.url) });
    verifyConsistency({ oldSize: before.size, newSize: after.size, oldRoot: before.root, newRoot: after.root, proof });
    const entries = await allEntries(log.url, after);
    expect(indices.size).toBe(manyEntries);
    for (const [index, number] of indices) expect(Buffer.from(entries[index] ?? [])).toEqual(Buffer.from(entry(number)));
    expect(constellation.failures).toEqual([]);
  });

  test("a key gets one index: at once, again, with other bytes and after a restart", async () => {
    await using constellation = await LogConstellation.start({ witnesses: 1, quorum: 1, stores: await newStores() });
    {
      await using log = await constellation.startLog();
      await append(log.url, "first", entry(0));
      const answers = await Promise.all(Array.from({ length: 20 }, () => append(log.url, "same", entry(1))));
      expect(new Set(answers.map(({ index }) => index))).toEqual(new Set([1]));
      expect(answers.filter(({ duplicate }) => !duplicate).length).toBe(1);
      expect(await append(log.url, "same", entry(2))).toMatchObject({ status: 200, index: 1, duplicate: true });
    }
    await using log = await constellation.startLog();
    const answer = await append(log.url, "same", entry(3));
    expect(answer).toMatchObject({ index: 1, duplicate: true, leafHash: Buffer.from(nodeHasher.leaf(entry(1))).toString("hex") });
    expect((await checkpointOf(log.url, constellation)).size).toBe(2);
  });

  test("below the quorum nothing new is served; with the quorum back everything is", async () => {
    await using constellation = await LogConstellation.start({ witnesses: 3, quorum: 2, stores: await newStores() });
    await using log = await constellation.startLog();
    await append(log.url, "a", entry(0));
    const [first, second] = constellation.witnesses;
    await first?.stop();
    expect(await append(log.url, "b", entry(1))).toMatchObject({ status: 200, index: 1 });
    await second?.stop();
    const waiting = append(log.url, "c", entry(2));
    expect(await append(log.url, "d", entry(3), "sequenced")).toMatchObject({ status: 200 });
    expect((await checkpointOf(log.url, constellation)).size).toBe(2);
    expect((await fetch(`${log.url}/tile/entries/000.p/3`)).status).toBe(404);
    await first?.start();
    expect(await waiting).toMatchObject({ status: 200, index: 2 });
    await expect.poll(async () => (await checkpointOf(log.url, constellation)).size, { timeout: 10_000 }).toBe(4);
    // A witness that was away is caught up with a consistency proof.
    await second?.start();
    const answer = await append(log.url, "e", entry(4));
    expect(verifyCosignedCheckpoint(answer.checkpoint ?? "", constellation.policy, verifyNoteSignature).witnesses.length).toBe(3);
  });

  test("a log that never reached its quorum serves no checkpoint and takes no entry", async () => {
    await using constellation = await LogConstellation.start({ witnesses: 2, quorum: 2, stores: await newStores() });
    await constellation.witnesses[0]?.stop();
    await using log = await constellation.startLog();
    expect(await publishedCheckpoint(log.url, constellation.policy)).toBeUndefined();
    const answer = await append(log.url, "a", entry(0));
    expect(answer).toMatchObject({ status: 503, type: "https://quorate.dev/problems/starting" });
    expect((await fetch(`${log.url}/health/ready`)).status).toBe(503);
  });

  test("an idle log publishes an entry without waiting for a batch", async () => {
    await using constellation = await LogConstellation.start({ witnesses: 1, quorum: 1, stores: await newStores() });
    await using log = await constellation.startLog({ batchMilliseconds: 3_600_000 });
    for (const number of [0, 1, 2]) {
      expect(await append(log.url, `key/${number}`, entry(number))).toMatchObject({ status: 200, index: number });
      expect((await checkpointOf(log.url, constellation)).size).toBe(number + 1);
    }
  });

  test("refuses writers without the token, and entries and keys that are none", async () => {
    await using constellation = await LogConstellation.start({ witnesses: 0, quorum: 0, stores: await newStores() });
    await using log = await constellation.startLog();
    const post = (headers: Record<string, string>, body: Uint8Array) =>
      fetch(`${log.url}/add`, {
        method: "POST",
        headers: {
          authorization: "Bearer a-token-of-the-tests",
          "idempotency-key": "k",
          "content-type": "application/octet-stream",
          ...headers,
        },
        body: Buffer.from(body),
      }).then(({ status }) => status);
    expect(await post({ authorization: "Bearer another-token-of-tests" }, entry(0))).toBe(401);
    expect(await post({}, new Uint8Array(0))).toBe(400);
    expect(await post({}, new Uint8Array(65_536))).toBe(413);
    expect(await post({ "idempotency-key": "a key" }, entry(0))).toBe(400);
    expect(await post({ "idempotency-key": "k".repeat(201) }, entry(0))).toBe(400);
    expect(await post({ "content-type": "application/json" }, entry(0))).toBe(400);
    expect(await post({}, new Uint8Array(65_535))).toBe(200);
    expect((await checkpointOf(log.url, constellation)).size).toBe(1);
  });

  test("serves tiles as immutable, to pages of any origin, and nothing that is not canonical or not published", async () => {
    await using constellation = await LogConstellation.start({ witnesses: 0, quorum: 0, stores: await newStores() });
    await using log = await constellation.startLog();
    await inLanes(299, 48, async (number) => void (await append(log.url, `key/${number}`, entry(number), "sequenced")));
    await append(log.url, "last", entry(299));
    const checkpoint = await fetch(`${log.url}/checkpoint`);
    expect(checkpoint.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    const tile = await fetch(`${log.url}/tile/0/001.p/44`);
    expect(tile.headers.get("cache-control")).toContain("immutable");
    expect(tile.headers.get("content-type")).toBe("application/octet-stream");
    expect(tile.headers.get("access-control-allow-origin")).toBe("*");
    expect((await tile.arrayBuffer()).byteLength).toBe(44 * 32);
    expect((await (await fetch(`${log.url}/tile/0/000.p/7`)).arrayBuffer()).byteLength).toBe(7 * 32);
    for (const path of [
      "tile/0/1",
      "tile/0/001",
      "tile/0/001.p/45",
      "tile/0/000.p/0",
      "tile/0/000.p/256",
      "tile/00/000",
      "tile/entries/002",
      "tile/2/000.p/1",
      "tile/64/000",
      "tile/0/x000/001.p/44",
      "tile/0/001.p/044",
      "tile/0/001.p/44/",
      "tile/0/001.p/44?",
      "tile/0/001.p/44?a=b",
      "tile/0/%301.p/44",
      "tile//0/001.p/44",
      "tile/data/001.p/44",
      "tile/0/x999/x999/x999/x999/x999/999",
      "checkpoint/",
      "Checkpoint",
    ]) {
      expect([path, (await fetch(`${log.url}/${path}`)).status]).toEqual([path, 404]);
    }
  });

  test("answers HEAD as GET without the body, and compresses entry bundles for those who read gzip", async () => {
    await using constellation = await LogConstellation.start({ witnesses: 0, quorum: 0, stores: await newStores() });
    await using log = await constellation.startLog();
    await inLanes(30, 30, async (number) => void (await append(log.url, `key/${number}`, entry(number))));
    const ask = (path: string, method: string, encoding: string) =>
      fetch(`${log.url}/${path}`, { method, headers: { "accept-encoding": encoding } });

    const checkpoint = await ask("checkpoint", "HEAD", "identity");
    expect([checkpoint.status, checkpoint.headers.get("cache-control")]).toEqual([200, "public, max-age=1"]);
    for (const path of ["tile/0/000.p/30", "tile/entries/000.p/30"]) {
      const head = await ask(path, "HEAD", "identity");
      const get = await ask(path, "GET", "identity");
      const { byteLength } = await get.arrayBuffer();
      for (const { headers } of [head, get]) {
        expect(headers.get("content-length")).toBe(String(byteLength));
        expect(headers.get("content-type")).toBe("application/octet-stream");
        expect(headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
        expect(headers.get("access-control-allow-origin")).toBe("*");
      }
    }
    const [plain, compressed] = [await ask("tile/entries/000.p/30", "GET", "identity"), await ask("tile/entries/000.p/30", "GET", "gzip")];
    expect([plain, compressed].map(({ headers }) => [headers.get("content-encoding"), headers.get("vary")])).toEqual([
      [null, "accept-encoding"],
      ["gzip", "accept-encoding"],
    ]);
    expect(Number(compressed.headers.get("content-length"))).toBeLessThan(Number(plain.headers.get("content-length")));
    expect(await compressed.arrayBuffer()).toEqual(await plain.arrayBuffer());
    expect((await ask("tile/0/000.p/30", "GET", "gzip")).headers.get("content-encoding")).toBe(null);
  });

  test("a log that gets a second key signs what is there with it too, and readers may ask for that signature alone", async () => {
    await using constellation = await LogConstellation.start({ witnesses: 2, quorum: 2, stores: await newStores() });
    {
      await using log = await constellation.startLog();
      await append(log.url, "a", entry(0));
    }
    const { name } = constellation.config.signer.key;
    const mlDsaSigner = createNoteKey(join(constellation.directory, "ml-dsa.key"), name, "ml-dsa-44");
    const secondLine = `log ${formatVkey(mlDsaSigner.key)}\n`;
    const readers = [secondLine, `${constellation.policyText.split("\n")[0]}\n${secondLine}`].map((lines) =>
      parseTlogPolicy(constellation.policyText.replace(/^log .*\n/, lines)),
    );
    await using log = await constellation.startLog({ mlDsaSigner });
    await expect.poll(async () => (await fetch(`${log.url}/health/ready`)).status).toBe(200);
    for (const size of [1, 2]) {
      const note = await (await fetch(`${log.url}/checkpoint`)).text();
      for (const policy of readers) expect(verifyCosignedCheckpoint(note, policy, verifyNoteSignature).checkpoint.size).toBe(size);
      expect(verifyCosignedCheckpoint(note, constellation.policy, verifyNoteSignature).witnesses.length).toBe(2);
      await append(log.url, `b/${size}`, entry(size));
    }
    expect(constellation.failures).toEqual([]);
  });

  test("a log that stops answers those who wait for witnesses, and what it acknowledged is there when it starts again", async () => {
    await using constellation = await LogConstellation.start({ witnesses: 2, quorum: 2, stores: await newStores() });
    const [first] = constellation.witnesses;
    {
      await using log = await constellation.startLog();
      await append(log.url, "a", entry(0));
      await first?.stop();
      const waiting = append(log.url, "b", entry(1));
      await expect.poll(async () => (await append(log.url, "b", entry(1), "sequenced")).index).toBe(1);
      await log[Symbol.asyncDispose]();
      expect(await waiting).toMatchObject({ status: 503, index: 1, type: "https://quorate.dev/problems/not-published" });
    }
    await first?.start();
    await using log = await constellation.startLog();
    expect(await append(log.url, "b", entry(9))).toMatchObject({ status: 200, index: 1, duplicate: true });
  });
});
