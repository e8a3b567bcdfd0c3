import { expect, test } from "vitest";
import { createWakeable } from "./wakeable.ts";

test("misses no wake, at whatever moment of a run it comes", async () => {
  for (let turns = 0; turns < 12; turns += 1) {
    const waiting = [1];
    const done: number[] = [];
    const wakeable = createWakeable(async () => {
      for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) {
        await Promise.resolve();
        done.push(item);
      }
    });
    wakeable.wake();
    for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
    waiting.push(2);
    wakeable.wake();
    await wakeable.idle();
    expect([turns, done.toSorted()]).toEqual([turns, [1, 2]]);
  }
});

test("runs once at a time, and once for wakes of one turn", async () => {
  let [running, most, runs] = [0, 0, 0];
  const wakeable = createWakeable(async () => {
    runs += 1;
    running += 1;
    most = Math.max(most, running);
    await Promise.resolve();
    running -= 1;
  });
  wakeable.wake();
  wakeable.wake();
  await wakeable.idle();
  expect([most, runs]).toEqual([1, 1]);
});
