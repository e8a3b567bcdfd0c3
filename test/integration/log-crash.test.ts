import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { utf8 } from "@quorate/protocol/utf8";
import { verifyNoteSignature } from "@quorate/signing/note-key";
import { verifyCosignedCheckpoint } from "@quorate/tlog/tlog-policy";
import { expect, test } from "vitest";
import { Acknowledged } from "./log-acknowledged.ts";
import { allEntries, append, inLanes, LogConstellation, publishedCheckpoint } from "./log-constellation.ts";
import { startLogProcess } from "./log-process.ts";

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
        answer.checkpoint === undefined
          ? undefined
          : verifyCosignedCheckpoint(answer.checkpoint, constellation.policy, verifyNoteSignature);
      told.note(answer.index, text, published?.checkpoint);
      answers += 1;
      if (answers === count) log.child.kill("SIGKILL");
    } catch (error) {
      if (!log.child.killed) throw error;
    }
  });
  if (answers < count) throw new Error(`round ${round} had ${answers} answers instead of ${count}`);
}

test("killed in the middle again and again, it keeps every acknowledged index and every checkpoint stays a prefix", async () => {
  await using constellation = await LogConstellation.start({ witnesses: 3, quorum: 2 });
  const told = new Acknowledged();
  for (const [round, count] of [40, 333, 1, 500, 90].entries()) await writeUntilKilled(constellation, round, count, told);

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
  expect(told.contradictions(await allEntries(log.url, checkpoint))).toEqual([]);
  expect(told.entries.size).toBeGreaterThan(900);
  expect(constellation.failures).toEqual([]);
});

test("tiles that were not yet flushed when the power went come back from the journal", async () => {
  await using constellation = await LogConstellation.start({ witnesses: 1, quorum: 1 });
  const told = new Acknowledged();
  await writeUntilKilled(constellation, 0, 600, told);
  // No journal was retired yet, so that nothing but the journal and the lock store need be on the disk.
  await rm(join(constellation.dataDirectory, "public"), { recursive: true });
  await using log = await constellation.startLog();
  await append(log.url, "last", utf8("last"));
  const checkpoint = await publishedCheckpoint(log.url, constellation.policy);
  if (checkpoint === undefined) throw new Error("no checkpoint after the start");
  expect(told.contradictions(await allEntries(log.url, checkpoint))).toEqual([]);
});

test("a log whose data come from a backup is stopped by what the witnesses hold, before it takes an entry", async () => {
  await using constellation = await LogConstellation.start({ witnesses: 3, quorum: 2 });
  const backup = join(constellation.directory, "backup");
  {
    await using log = await constellation.startLog();
    await append(log.url, "a", utf8("a"));
  }
  await cp(constellation.dataDirectory, backup, { recursive: true });
  {
    await using log = await constellation.startLog();
    await append(log.url, "b", utf8("b"));
  }
  await rm(constellation.dataDirectory, { recursive: true });
  await cp(backup, constellation.dataDirectory, { recursive: true });
  await using log = await constellation.startLog();
  expect(await append(log.url, "c", utf8("c"))).toMatchObject({ status: 503 });
  expect(constellation.failures.map((failure) => (failure instanceof Error ? String(failure.cause) : ""))).toEqual([
    expect.stringContaining("signed by this log, whose newest is 1: its data come from a backup"),
  ]);
});

test("a log that has another tree of the size that its witnesses hold is stopped, before it takes an entry", async () => {
  await using constellation = await LogConstellation.start({ witnesses: 3, quorum: 2 });
  {
    await using log = await constellation.startLog();
    await append(log.url, "a", utf8("a"));
  }
  await rm(constellation.dataDirectory, { recursive: true });
  {
    await using log = await constellation.startLog({ policy: { ...constellation.policy, witnesses: [], groups: [], quorum: "none" } });
    await append(log.url, "b", utf8("b"));
  }
  await using log = await constellation.startLog();
  expect(await append(log.url, "c", utf8("c"))).toMatchObject({ status: 503 });
  expect(constellation.failures.map((failure) => (failure instanceof Error ? String(failure.cause) : ""))).toEqual([
    expect.stringContaining("holds a checkpoint of size 1 signed by this log with another root: it has forked"),
  ]);
});

test("a second log on the same directory is refused", async () => {
  await using constellation = await LogConstellation.start({ witnesses: 1, quorum: 1 });
  await using first = await startLogProcess(constellation);
  await expect(startLogProcess(constellation)).rejects.toThrow(`it is in use by process ${first.child.pid}`);
  expect(await append(first.url, "a", utf8("a"))).toMatchObject({ status: 200, index: 0 });
});

test("of two logs that both have the directory, since its lock was deleted, one loses the swap and stops", async () => {
  await using constellation = await LogConstellation.start({ witnesses: 1, quorum: 1 });
  await using first = await constellation.startLog();
  await append(first.url, "a", utf8("a"));
  await rm(join(constellation.dataDirectory, "lock"));
  await using second = await constellation.startLog();
  expect(await append(second.url, "b", utf8("of the second"))).toMatchObject({ status: 200, index: 1 });
  expect(await append(first.url, "c", utf8("of the first"))).toMatchObject({
    status: 503,
    type: "https://quorate.dev/problems/restarting",
  });
  expect(constellation.failures.map((failure) => (failure instanceof Error ? String(failure.cause) : ""))).toEqual([
    expect.stringContaining("another process has swapped it"),
  ]);
  expect(await append(second.url, "d", utf8("d"))).toMatchObject({ status: 200, index: 2 });
  const checkpoint = await publishedCheckpoint(second.url, constellation.policy);
  const entries = checkpoint === undefined ? [] : await allEntries(second.url, checkpoint);
  expect(entries.map((entry) => Buffer.from(entry).toString())).toEqual(["a", "of the second", "d"]);
});

test("a log whose clock was set back does not start, and one whose clock goes back while it runs goes on", async () => {
  await using constellation = await LogConstellation.start({ witnesses: 1, quorum: 1 });
  const clock = { milliseconds: Date.now() };
  {
    await using log = await constellation.startLog({}, () => clock.milliseconds);
    await append(log.url, "a", utf8("a"));
    clock.milliseconds -= 3_600_000;
    expect(await append(log.url, "b", utf8("b"))).toMatchObject({ status: 200, index: 1 });
  }
  await expect(constellation.startLog({}, () => clock.milliseconds)).rejects.toThrow("set the clock");
  clock.milliseconds += 3_600_000;
  await using log = await constellation.startLog({}, () => clock.milliseconds);
  expect(await append(log.url, "b", utf8("again"))).toMatchObject({ status: 200, index: 1, duplicate: true });
});
