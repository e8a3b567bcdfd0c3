import { verifyP256 } from "@quorate/signing/p256-key";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { writeTiles } from "@quorate/client/served-log.fixture";
import { utf8 } from "@quorate/protocol/utf8";
import { VerificationError } from "@quorate/tlog/verification-error";
import { TestNetwork } from "@quorate/verdict/network.fixture";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { VerdictFollower } from "./verdict-follower.ts";

let directory = "";
let network: TestNetwork;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "quorate-follower-"));
  network = new TestNetwork();
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function publish(entries: readonly Uint8Array[] = network.entries) {
  await writeTiles(directory, entries);
  const { size } = network.tree;
  return { origin: "log.example", size, root: network.tree.rootAt(size) };
}

function follower(blobs: ReadonlyMap<string, Uint8Array> = network.blobs) {
  const replayed: number[] = [];
  const verdicts = new VerdictFollower(pathToFileURL(directory).href, {
    networkKey: network.networkKey.spki,
    loadBlob: async (sha256) => blobs.get(sha256),
    statePath: join(directory, "replayed"),
    verify: verifyP256,
  });
  const follow = (checkpoint: Awaited<ReturnType<typeof publish>>) =>
    verdicts.follow(checkpoint, (count) => void replayed.push(count), new AbortController().signal);
  return { follow, replayed };
}

const counts = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => from + at + 1);

describe("following a log's verdicts", () => {
  it("replays each entry once as the log grows, and names the verdict that its evidence does not give, at every look", async () => {
    const { follow, replayed } = follower();
    const round = network.rebuild();
    const before = network.entries.length;
    expect(await follow(await publish())).toBeUndefined();
    expect(await follow(await publish())).toBeUndefined();
    expect(replayed).toEqual(counts(0, before));
    network.appendVerdict({ ...network.verdictOf(round), outcome: "mismatch" });
    const checkpoint = await publish();
    expect(await follow(checkpoint)).toMatchObject({ index: before, rule: "unique" });
    expect(await follow(checkpoint)).toMatchObject({ index: before, rule: "unique" });
    expect(replayed).toEqual(counts(0, before));
  });

  it("goes on after a restart where it was, and refuses a log whose beginning is another now", async () => {
    network.rebuild();
    const before = network.entries.length;
    expect(await follower().follow(await publish())).toBeUndefined();
    network.revoke("cyd");
    const { follow, replayed } = follower();
    expect(await follow(await publish())).toBeUndefined();
    expect(replayed).toEqual([before + 1]);
    const other = new TestNetwork();
    for (const bytes of network.entries.toReversed()) other.appendBytes(bytes);
    network = other;
    await expect(follower().follow(await publish())).rejects.toThrow(/the log has changed what it said/);
  });

  it("names a forged verdict on a round that had none", async () => {
    const honest = new TestNetwork();
    const verdict = honest.verdictOf(honest.rebuild());
    for (const bytes of honest.entries.slice(0, -1)) network.appendBytes(bytes);
    const { follow } = follower(honest.blobs);
    expect(await follow(await publish())).toBeUndefined();
    network.appendVerdict({ ...verdict, outcome: "mismatch" });
    expect(await follow(await publish())).toMatchObject({ index: network.entries.length - 1, rule: "verdict" });
  });

  it("blames no entry that the tree does not hold, and begins anew when the right one is served", async () => {
    network.rebuild();
    const { follow, replayed } = follower();
    const at = network.entries.length - 1;
    const checkpoint = await publish(network.entries.with(at, utf8("another entry")));
    await expect(follow(checkpoint)).rejects.toThrow(VerificationError);
    await publish();
    expect(await follow(checkpoint)).toBeUndefined();
    expect(replayed).toEqual([...counts(0, at), ...counts(0, at + 1)]);
  });
});
