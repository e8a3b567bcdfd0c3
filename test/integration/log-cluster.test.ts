import { once } from "node:events";
import { checkLog } from "@quorate/client/check-log";
import { logSourceOf } from "@quorate/client/log-source";
import { startClusterServers } from "@quorate/log/cluster.fixture";
import type { ClusterServers } from "@quorate/log/cluster.fixture";
import type { ClusterStores } from "@quorate/log/config";
import { testLockStore } from "@quorate/log/lock-store-promises.fixture";
import { PostgresLockStore } from "@quorate/log/postgres-lock-store";
import { S3Bucket } from "@quorate/log/s3-bucket";
import { utf8 } from "@quorate/protocol/utf8";
import { verifyNoteSignature } from "@quorate/signing/note-key";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { verifyCosignedCheckpoint } from "@quorate/tlog/tlog-policy";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CuttableLink } from "./cuttable-link.ts";
import { Acknowledged } from "./log-acknowledged.ts";
import { allEntries, append, inLanes, LogConstellation, publishedCheckpoint } from "./log-constellation.ts";
import { startLogProcess } from "./log-process.ts";
import { startRival } from "./rival-sequencer.ts";

let servers: ClusterServers;
beforeAll(async () => {
  servers = await startClusterServers();
});
afterAll(() => servers[Symbol.asyncDispose]());

describe("the lock store in PostgreSQL", () => {
  testLockStore(async () => {
    const { databaseUrl } = await servers.newStores();
    return {
      open: () => PostgresLockStore.open({ url: databaseUrl, onLost: () => undefined }),
      [Symbol.asyncDispose]: async () => undefined,
    };
  });
});

type Writing = { readonly constellation: LogConstellation; readonly told: Acknowledged; readonly round: string; readonly count: number };

/** Appends entries, each once. What the log does not answer, or refuses, it has not acknowledged. */
async function writeTo(url: string, { constellation, told, round, count }: Writing): Promise<void> {
  await inLanes(count, 12, async (number) => {
    const text = `${round} ${number}`;
    const wait = number % 5 === 0 ? "published" : "sequenced";
    const answer = await append(url, `${round}/${number}`, utf8(text), wait).catch(() => undefined);
    if (answer?.index === undefined || answer.leafHash === undefined) return;
    const published =
      answer.checkpoint && verifyCosignedCheckpoint(answer.checkpoint, constellation.policy, verifyNoteSignature).checkpoint;
    told.note(answer.index, text, published || undefined);
  });
}

/** What was acknowledged is there, and every file is whole: as the log serves it, and as the bucket has it. */
async function expectWhole(url: string, { constellation, told, stores }: Omit<Writing, "round" | "count"> & { stores: ClusterStores }) {
  expect(await append(url, "last", utf8("last"))).toMatchObject({ status: 200 });
  const checkpoint = await publishedCheckpoint(url, constellation.policy);
  if (checkpoint === undefined) throw new Error("the log serves no checkpoint");
  expect(told.contradictions(await allEntries(url, checkpoint))).toEqual([]);
  using bucket = new S3Bucket(stores.s3);
  for (const source of [logSourceOf(url), (path: string) => bucket.get(path)]) {
    const { problems, entries } = await checkLog({ source, checkpoint, hasher: nodeHasher, published: told.sizes });
    expect({ problems, entries }).toEqual({ problems: [], entries: checkpoint.size });
  }
}

test("a stand-by takes over when the process with the lease is killed, with everything that was acknowledged", async () => {
  const stores = await servers.newStores();
  await using constellation = await LogConstellation.start({ witnesses: 3, quorum: 2, stores });
  const told = new Acknowledged();
  await using first = await startLogProcess(constellation);
  const standingBy = Promise.withResolvers<void>();
  const second = startLogProcess(constellation, { onLine: (line) => line.includes("standing by") && standingBy.resolve() });
  await standingBy.promise;
  const writing = writeTo(first.url, { constellation, told, round: "first", count: 400 });
  await expect.poll(() => told.entries.size, { timeout: 60_000 }).toBeGreaterThan(60);
  await first.kill();
  await writing;
  const before = told.entries.size;
  expect(before).toBeLessThan(400);

  await using taken = await second;
  await writeTo(taken.url, { constellation, told, round: "second", count: 20 });
  expect(told.entries.size).toBe(before + 20);
  const [index, text = ""] = Array.from(told.entries)[0] ?? [];
  expect(await append(taken.url, text.replace(" ", "/"), utf8("other bytes"))).toMatchObject({ status: 200, index, duplicate: true });
  await expectWhole(taken.url, { constellation, told, stores });
});

test("a process that was paused, and whose lease another has, acknowledges nothing when it goes on, and ends", async () => {
  const stores = await servers.newStores();
  await using constellation = await LogConstellation.start({ witnesses: 1, quorum: 1, stores });
  const told = new Acknowledged();
  await using first = await startLogProcess(constellation);
  await writeTo(first.url, { constellation, told, round: "first", count: 10 });
  first.child.kill("SIGSTOP");
  const late = append(first.url, "late", utf8("late")).catch(() => undefined);
  await servers.endSessions(stores);

  await using second = await startLogProcess(constellation);
  await writeTo(second.url, { constellation, told, round: "second", count: 10 });
  expect(told.entries.size).toBe(20);
  const ended = once(first.child, "exit");
  first.child.kill("SIGCONT");
  expect(await ended).toEqual([1, null]);
  expect((await late)?.index).toBeUndefined();
  await expectWhole(second.url, { constellation, told, stores });
});

test("a stand-by that is told to end does so, with success", async () => {
  const stores = await servers.newStores();
  await using constellation = await LogConstellation.start({ witnesses: 0, quorum: 0, stores });
  await using first = await startLogProcess(constellation);
  const lines: string[] = [];
  const second = startLogProcess(constellation, {
    onLine: (line) => {
      lines.push(line);
      if (line.includes("standing by")) process.kill(Number(/"pid":(\d+)/.exec(line)?.[1]), "SIGTERM");
    },
  });
  await expect(second).rejects.toThrow(/"level":30,.*"stopped"/);
  expect(await append(first.url, "a", utf8("a"))).toMatchObject({ status: 200, index: 0 });
});

test("of two sequencers that both believe that the log is theirs, one loses the swap and stops, and nothing acknowledged is lost", async () => {
  const stores = await servers.newStores();
  await using constellation = await LogConstellation.start({ witnesses: 1, quorum: 1, stores });
  const told = new Acknowledged();
  for (const round of ["one", "two", "three"]) {
    await using log = await constellation.startLog();
    await using rival = await startRival(constellation.config, stores);
    const before = constellation.failures.length;
    await Promise.all([
      writeTo(log.url, { constellation, told, round: `log-${round}`, count: 1 }),
      rival.append(`rival/${round}`, `rival ${round}`).then(
        (index) => told.note(index, `rival ${round}`, undefined),
        () => undefined,
      ),
    ]);
    const failures = [...constellation.failures.slice(before), ...rival.failures];
    expect(failures.map((failure) => (failure instanceof Error ? String(failure.cause) : ""))).toEqual([
      expect.stringContaining("another process has swapped it"),
    ]);
  }
  expect(told.entries.size).toBe(3);
  await using log = await constellation.startLog();
  await expectWhole(log.url, { constellation, told, stores });
});

/** A log's constellation that reaches the object store over a link. */
async function startBehindLink() {
  await using stack = new AsyncDisposableStack();
  const stores = await servers.newStores();
  const link = stack.use(await CuttableLink.open());
  link.lead(stores.s3.url);
  const linked = { ...stores, s3: { ...stores.s3, url: link.url } };
  const constellation = stack.use(await LogConstellation.start({ witnesses: 1, quorum: 1, stores: linked }));
  const owned = stack.move();
  return { stores, link, constellation, told: new Acknowledged(), [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

test("while the object store is away appends and tiles are refused with 503; with it back the same process goes on", async () => {
  await using away = await startBehindLink();
  const { stores, link, constellation, told } = away;
  await using log = await constellation.startLog();
  await writeTo(log.url, { constellation, told, round: "before", count: 5 });
  link.cut();
  const refused = { status: 503, type: "https://quorate.dev/problems/store-unavailable" };
  expect(await append(log.url, "away", utf8("away 0"))).toMatchObject(refused);
  const tile = await fetch(`${log.url}/tile/0/000.p/5`);
  expect({ status: tile.status, ...Object(await tile.json()) }).toMatchObject(refused);
  link.lead(stores.s3.url);
  expect(await append(log.url, "away", utf8("away 1"))).toMatchObject({ status: 200, index: 5, duplicate: false });
  expect(constellation.failures).toEqual([]);
  await expectWhole(log.url, { constellation, told, stores });
});

test("an object store that goes away under load costs nothing that was acknowledged", async () => {
  await using away = await startBehindLink();
  const { stores, link, constellation, told } = away;
  {
    await using log = await startLogProcess(constellation);
    const writing = writeTo(log.url, { constellation, told, round: "before", count: 120 });
    await expect.poll(() => told.entries.size, { timeout: 60_000 }).toBeGreaterThan(40);
    link.cut();
    await writing;
  }
  const before = told.entries.size;
  expect(before).toBeLessThan(120);
  link.lead(stores.s3.url);
  await using log = await constellation.startLog();
  await writeTo(log.url, { constellation, told, round: "after", count: 10 });
  expect(told.entries.size).toBe(before + 10);
  await expectWhole(log.url, { constellation, told, stores });
});
