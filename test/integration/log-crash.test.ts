import { rm } from "node:fs/promises";
import { join } from "node:path";
import { utf8 } from "@quorate/protocol/utf8";
import { verifyEd25519 } from "@quorate/signing/note-key";
import { nodeHasher } from "@quorate/signing/node-hasher";
import type { Checkpoint } from "@quorate/tlog/checkpoint";
import { formatHash } from "@quorate/tlog/hash";
import { MerkleFrontier } from "@quorate/tlog/merkle";
import { verifyCosignedCheckpoint } from "@quorate/tlog/tlog-policy";
import { expect, test } from "vitest";
import { allEntries, append, inLanes, LogConstellation, publishedCheckpoint } from "./log-constellation.ts";
import { startLogProcess } from "./log-process.ts";

/** What writers were told: the bytes at each index, and checkpoints. */
class Acknowledged {
  readonly entries = new Map<number, string>();
  readonly checkpoints = new Map<number, Checkpoint>();

  note(index: number, text: string, checkpoint: Checkpoint | undefined): void {
    const earlier = this.entries.get(index);
    expect([index, earlier ?? text]).toEqual([index, text]);
    this.entries.set(index, text);
    if (checkpoint !== undefined) this.checkpoints.set(checkpoint.size, checkpoint);
  }

  /** Every entry is where it was said to be, and every checkpoint is of a prefix. */
  verify(entries: readonly Uint8Array[]): void {
    for (const [index, text] of this.entries) expect([index, Buffer.from(entries[index] ?? []).toString()]).toEqual([index, text]);
    const frontier = MerkleFrontier.empty(nodeHasher);
    for (const entry of entries) {
      frontier.append(nodeHasher.leaf(entry));
      const checkpoint = this.checkpoints.get(frontier.size);
      if (checkpoint !== undefined) expect(formatHash(frontier.root())).toBe(formatHash(checkpoint.root));
    }
    expect(Math.max(...this.checkpoints.keys())).toBeLessThanOrEqual(entries.length);
  }
}

/** Many writers append until the process is killed under them, some time after `count` answers. */
async function writeUntilKilled(constellation: LogConstellation, round: number, count: number, told: Acknowledged): Promise<void> {
  await using log = await startLogProcess(constellation);
  let answers = 0;
  await inLanes(count * 4, 16, async (number) => {
    if (log.child.killed) return;
    const text = `round ${round} entry ${number} ${"x".repeat((number * 37) % 900)}`;
    try {
      const answer = await append(log.url, `${round}/${number}`, utf8(text), number % 5 === 0 ? "published" : "sequenced");
      if (answer.index === undefined || answer.leafHash === undefined) return;
      const published =
        answer.checkpoint === undefined ? undefined : verifyCosignedCheckpoint(answer.checkpoint, constellation.policy, verifyEd25519);
      told.note(answer.index, text, published?.checkpoint);
      answers += 1;
      if (answers === count) log.child.kill("SIGKILL");
    } catch (error) {
      if (!log.child.killed) throw error;
    }
  });
  expect(answers).toBeGreaterThanOrEqual(count);
}

test("killed in the middle again and again, it keeps every acknowledged index and every checkpoint stays a prefix", async () => {
  await using constellation = await LogConstellation.start({ witnesses: 3, quorum: 2 });
  const told = new Acknowledged();
  for (const [round, count] of [40, 333, 1, 700, 90].entries()) await writeUntilKilled(constellation, round, count, told);

  await using log = await constellation.startLog();
  // The same keys again: each gets the index it had.
  for (let number = 0; number < 40; number += 1) {
    const answer = await append(log.url, `3/${number}`, utf8("other bytes"), "sequenced");
    const text = told.entries.get(answer.index ?? -1);
    if (text !== undefined) expect(text).toMatch(new RegExp(`^round 3 entry ${number} `));
  }
  await append(log.url, "last", utf8("last"));
  const checkpoint = await publishedCheckpoint(log.url, constellation.policy);
  if (checkpoint === undefined) throw new Error("no checkpoint after the last start");
  told.verify(await allEntries(log.url, checkpoint));
  expect(told.entries.size).toBeGreaterThan(1_100);
  expect(constellation.failures).toEqual([]);
});

test("tiles that were not yet flushed when the power went come back from the journal", async () => {
  await using constellation = await LogConstellation.start({ witnesses: 1, quorum: 1 });
  const told = new Acknowledged();
  await writeUntilKilled(constellation, 0, 600, told);
  // No journal was retired yet, so that nothing but the journal and the lock store need be on the disk.
  await rm(join(constellation.config.dataDirectory, "public"), { recursive: true });
  await using log = await constellation.startLog();
  await append(log.url, "last", utf8("last"));
  const checkpoint = await publishedCheckpoint(log.url, constellation.policy);
  if (checkpoint === undefined) throw new Error("no checkpoint after the start");
  told.verify(await allEntries(log.url, checkpoint));
});
