import { expect, test } from "vitest";
import { createRevocations } from "./revocations.ts";

test("what could not be told is told at the next look, and then no more", async () => {
  const told: string[] = [];
  let isAway = true;
  const onError = (error: unknown) => void told.push(String(error));
  const tell = async () => {
    if (isAway) throw new Error("the transport is away");
    told.push("told");
  };
  const { push, pushOwed } = createRevocations({ tell, onError });
  await pushOwed();
  expect(await push()).toBe(false);
  await pushOwed();
  isAway = false;
  await pushOwed();
  await pushOwed();
  expect(told).toEqual(["Error: the transport is away", "Error: the transport is away", "told"]);
});

test("what is revoked while the transport is told is told after it, whichever answer is slower", async () => {
  const revoked = ["ada"];
  const told: string[][] = [];
  const first = Promise.withResolvers<void>();
  const tell = async () => {
    const all = [...revoked];
    if (all.length === 1) await first.promise;
    told.push(all);
  };
  const { push } = createRevocations({ tell, onError: () => undefined });
  const ended = [push()];
  await Promise.resolve();
  revoked.push("bert");
  ended.push(push());
  first.resolve();
  await Promise.all(ended);
  expect(told).toEqual([["ada"], ["ada", "bert"]]);
});
