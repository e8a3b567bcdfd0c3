import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { zstdCompressSync } from "node:zlib";
import { blobFilePath } from "@quorate/client/blob-directory";
import { formatTrustPolicy } from "@quorate/verdict/trust-policy";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { runAudit } from "../../services/cli/src/commands/audit.ts";
import { runSync } from "../../services/cli/src/commands/sync.ts";
import { recordingContext } from "../../services/cli/src/recording-terminal.fixture.ts";
import { ReproducedPackages, anyAge, audit, createRoot, installDebs } from "../audited-host.ts";
import { type SmallDeb, buildSmallDeb } from "../small-deb.ts";

const run = promisify(execFile);
const first: SmallDeb = { name: "first", files: { "usr/bin/first": "first\n" } };
const second: SmallDeb = { name: "second", files: { "usr/bin/second": "second\n" } };

let directory = "";
let root = "";

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "quorate-snapshot-"));
  root = join(directory, "root");
  await createRoot(root);
  await installDebs(root, [await buildSmallDeb(directory, first), await buildSmallDeb(directory, second)]);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const deb = (name: string) => join(directory, `${name}_1.0_all.deb`);

/** A file system of its own, which a test can fill to the last byte. */
async function mountSmallDisk(directory: string): Promise<AsyncDisposable & { fill(): Promise<void>; empty(): Promise<void> }> {
  await run("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", directory]);
  const ballast = join(directory, "ballast");
  return {
    async fill() {
      await expect(writeFile(ballast, Buffer.alloc(2 ** 20))).rejects.toMatchObject({ code: "ENOSPC" });
    },
    empty: () => rm(ballast),
    async [Symbol.asyncDispose]() {
      await run("umount", [directory]);
    },
  };
}

/** A network of its own for a test, and an empty place for its snapshot. */
async function startNetwork(): Promise<{ network: ReproducedPackages; snapshot: string }> {
  const own = await mkdtemp(join(directory, "network-"));
  return { network: await ReproducedPackages.start(own), snapshot: join(own, "snapshot") };
}

const unverified = async (snapshot: string) =>
  (await audit(root, snapshot)).packages.flatMap(({ package: name, reason }) => (reason === undefined ? [] : [`${name}: ${reason}`]));

describe("quorate sync", () => {
  test("fetches what the log has added, and everything of it: nobody learns which packages a host has", async () => {
    const started = await startNetwork();
    await using network = started.network;
    await network.reproduce(deb("first"));
    await network.publish();
    expect(await network.sync(started.snapshot)).toMatchObject({ code: 0, json: { checked: 1, artifacts: 1, reproduced: 1 } });
    expect(await unverified(started.snapshot)).toEqual(["second: no verdict on this version"]);
    await network.reproduce(deb("second"));
    await network.publish();
    network.requests.length = 0;
    expect(await network.sync(started.snapshot)).toMatchObject({ code: 0, json: { checked: 1, artifacts: 2, reproduced: 2 } });
    expect(await unverified(started.snapshot)).toEqual([]);
    // One build trace and one manifest, by digest.
    expect(network.requests).toHaveLength(2);
    for (const request of network.requests) expect(request).toMatch(/^\/v1\/blobs\/sha256\/[0-9a-f]{64}$/);
  });

  test("run again without news, it asks for nothing but the checkpoint", async () => {
    const started = await startNetwork();
    await using network = started.network;
    await network.reproduce(deb("first"));
    await network.publish();
    await network.sync(started.snapshot);
    network.requests.length = 0;
    expect(await network.sync(started.snapshot)).toMatchObject({ code: 0, json: { added: 0, checked: 0, artifacts: 1 } });
    expect(network.requests).toEqual([]);
  });

  test("refuses a log that has become smaller, with exit code 2, and keeps what it has", async () => {
    const started = await startNetwork();
    await using network = started.network;
    await network.reproduce(deb("first"));
    await network.publish();
    await cp(network.log, `${network.log}-old`, { recursive: true });
    await network.reproduce(deb("second"));
    await network.publish();
    await network.sync(started.snapshot);
    const before = await readFile(join(started.snapshot, "snapshot.json"));
    await expect(network.sync(started.snapshot, { log: `${network.log}-old` })).rejects.toMatchObject({ exitCode: 2 });
    expect(await readFile(join(started.snapshot, "snapshot.json"))).toEqual(before);
  });

  test("refuses a checkpoint that was cosigned long ago, with exit code 3; an audit from an old snapshot is incomplete", async () => {
    const started = await startNetwork();
    await using network = started.network;
    await network.reproduce(deb("first"));
    await network.publish();
    await expect(network.sync(started.snapshot, { freshness: 3600 })).rejects.toMatchObject({ exitCode: 3 });
    await network.sync(started.snapshot);
    const context = recordingContext();
    expect(await runAudit({ root, snapshot: started.snapshot, freshness: 3600, json: true }, context)).toBe(3);
    expect(context.json).toMatchObject([{ outcome: "incomplete", freshness: { kind: "stale" } }]);
  });

  test("refuses a verdict that its evidence does not give, with exit code 2", async () => {
    const started = await startNetwork();
    await using network = started.network;
    await network.reproduce(deb("first"), () => ({ artifact: "other bytes" }));
    const [last] = network.network.logged().slice(-1);
    if (last?.entry.statement.kind !== "verdict") throw new Error("the last entry is the verdict");
    network.network.appendVerdict({ ...last.entry.statement.verdict, outcome: "reproduced" });
    await network.publish();
    await expect(network.sync(started.snapshot)).rejects.toMatchObject({ exitCode: 2 });
    expect(await readdir(started.snapshot)).not.toContain("snapshot.json");
  });

  test("a manifest that a minority names is not taken for the package's", async () => {
    const started = await startNetwork();
    await using network = started.network;
    await network.reproduce(deb("first"), (name) => ({ manifest: `of ${name}` }));
    await network.publish();
    expect(await network.sync(started.snapshot)).toMatchObject({ code: 0, json: { reproduced: 1 } });
    expect(await unverified(started.snapshot)).toContain("first: reproduced, but there is no manifest of it");
  });

  test("a verdict of operators whom the reader does not trust verifies nothing", async () => {
    const started = await startNetwork();
    await using network = started.network;
    await network.reproduce(deb("first"));
    await network.publish();
    await writeFile(network.policy, formatTrustPolicy(network.network.trustPolicy(["ada", "dora", "eve"])));
    expect(await network.sync(started.snapshot)).toMatchObject({ code: 0, json: { checked: 1, artifacts: 1, reproduced: 0 } });
    expect(await unverified(started.snapshot)).toContain("first: the verdict is inconclusive");
    // A policy that was changed is one under which everything is checked again.
    await writeFile(network.policy, formatTrustPolicy(network.network.trustPolicy(["ada", "bert"])));
    expect(await network.sync(started.snapshot)).toMatchObject({ code: 0, json: { added: 0, checked: 1, reproduced: 1 } });
  });

  test("evidence that the network does not have now is waited for", async () => {
    const started = await startNetwork();
    await using network = started.network;
    await network.reproduce(deb("first"));
    await network.publish();
    const kept = new Map(network.blobs);
    const traces = new Map(network.network.blobs);
    network.blobs.clear();
    network.network.blobs.clear();
    expect(await network.sync(started.snapshot)).toMatchObject({ json: { waiting: 1, artifacts: 0 } });
    for (const [sha256, bytes] of kept) network.blobs.set(sha256, bytes);
    for (const [sha256, bytes] of traces) network.network.blobs.set(sha256, bytes);
    expect(await network.sync(started.snapshot)).toMatchObject({ json: { added: 0, checked: 1, waiting: 0, reproduced: 1 } });
  });
});

test("the data directory of a stopped network serves as well, without what it does not hold", async () => {
  const started = await startNetwork();
  await using network = started.network;
  await network.reproduce(deb("first"));
  await network.publish();
  const data = join(started.snapshot, "../data");
  await mkdir(data);
  const syncStopped = async () => {
    const context = recordingContext();
    const { log, policy } = network;
    await runSync(undefined, { data, log, policy, into: started.snapshot, freshness: anyAge, json: true }, context);
    return context.json[0];
  };
  expect(await syncStopped()).toMatchObject({ checked: 0, waiting: 1 });
  for (const [sha256, bytes] of [...network.network.blobs, ...network.blobs]) {
    const path = blobFilePath(join(data, "coordinator/blobs"), sha256);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, zstdCompressSync(bytes));
  }
  expect(await syncStopped()).toMatchObject({ checked: 1, waiting: 0, reproduced: 1, missingManifests: 0 });
});

describe("a snapshot on disk", () => {
  test.each<[string, (snapshot: string) => Promise<unknown>]>([
    [
      "whose list of artifacts was changed",
      async (snapshot) => {
        const name = (await readdir(snapshot)).find((file) => file.startsWith("artifacts-")) ?? "";
        await writeFile(join(snapshot, name), "first 1.0 all\n");
      },
    ],
    [
      "whose checkpoint was changed",
      async (snapshot) => {
        const path = join(snapshot, "snapshot.json");
        await writeFile(path, (await readFile(path, "utf8")).replace("log.example", "log.elsewhere"));
      },
    ],
    ["whose policy was changed", (snapshot) => writeFile(join(snapshot, "policy"), "threshold 0\n")],
    ["that is not there", (snapshot) => rm(join(snapshot, "snapshot.json"))],
  ])("%s is refused: exit code 3", async (_what, change) => {
    const started = await startNetwork();
    await using network = started.network;
    await network.reproduce(deb("first"));
    await network.publish();
    await network.sync(started.snapshot);
    await change(started.snapshot);
    const audited = runAudit({ root, snapshot: started.snapshot, freshness: anyAge }, recordingContext());
    await expect(audited).rejects.toMatchObject({ exitCode: 3 });
  });

  test("that is rolled back to an older size of the log is refused, and so is a log that is", async () => {
    const started = await startNetwork();
    await using network = started.network;
    await network.reproduce(deb("first"));
    await network.publish();
    await network.sync(started.snapshot);
    await cp(network.log, `${network.log}-old`, { recursive: true });
    await cp(started.snapshot, `${started.snapshot}-old`, { recursive: true });
    await network.reproduce(deb("second"));
    await network.publish();
    await network.sync(started.snapshot);
    await rm(started.snapshot, { recursive: true });
    await cp(`${started.snapshot}-old`, started.snapshot, { recursive: true });
    await expect(audit(root, started.snapshot)).rejects.toMatchObject({ exitCode: 3, message: expect.stringContaining("rolled back") });
    await rm(started.snapshot, { recursive: true });
    await expect(network.sync(started.snapshot, { log: `${network.log}-old` })).rejects.toMatchObject({ exitCode: 2 });
    await network.sync(started.snapshot);
    expect((await audit(root, started.snapshot)).code).toBe(0);
  });

  test("is not taken for recent by a host whose clock is before its witnesses'", async () => {
    const started = await startNetwork();
    await using network = started.network;
    await network.reproduce(deb("first"));
    await network.publish();
    await network.sync(started.snapshot);
    vi.useFakeTimers({ toFake: ["Date"], now: 0 });
    try {
      expect(await audit(root, started.snapshot)).toMatchObject({ code: 3, outcome: "incomplete", freshness: { kind: "ahead" } });
      await expect(network.sync(started.snapshot)).rejects.toMatchObject({ exitCode: 3 });
    } finally {
      vi.useRealTimers();
    }
  });

  test("on a disk that is full: the one before stays, and no audit that could not be kept is clean", async () => {
    const started = await startNetwork();
    await using network = started.network;
    await network.reproduce(deb("first"));
    await network.publish();
    await mkdir(started.snapshot);
    await using disk = await mountSmallDisk(started.snapshot);
    await network.sync(started.snapshot);
    const before = await readFile(join(started.snapshot, "snapshot.json"));
    await disk.fill();
    await network.reproduce(deb("second"));
    await network.publish();
    await expect(network.sync(started.snapshot)).rejects.toMatchObject({ exitCode: 1, message: expect.stringContaining("make room") });
    expect(await readFile(join(started.snapshot, "snapshot.json"))).toEqual(before);
    expect(await unverified(started.snapshot)).toEqual(["second: no verdict on this version"]);
    await expect(audit({ root, cache: join(started.snapshot, "cache") }, started.snapshot)).rejects.toMatchObject({ exitCode: 3 });
    await disk.empty();
    expect(await network.sync(started.snapshot)).toMatchObject({ code: 0, json: { reproduced: 2 } });
  });

  test("whose manifest was changed on disk is refused", async () => {
    const started = await startNetwork();
    await using network = started.network;
    await network.reproduce(deb("first"));
    await network.publish();
    await network.sync(started.snapshot);
    const blobs = join(started.snapshot, "blobs");
    for (const name of await readdir(blobs, { recursive: true }))
      if (name.endsWith(".zst")) await writeFile(join(blobs, name), "other bytes");
    await expect(audit(root, started.snapshot)).rejects.toMatchObject({ exitCode: 3 });
  });
});
