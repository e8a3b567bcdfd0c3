import { expect, test } from "vitest";
import { createRoundLanes } from "./round-lanes.ts";

function gate() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

test("the steps of one round never overlap, and those that wait are done once", async () => {
  const lanes = createRoundLanes();
  const first = gate();
  let running = 0;
  let runs = 0;
  const step = async () => {
    expect(++running).toBe(1);
    if (++runs === 1) await first.opened;
    running--;
  };
  const all = [lanes.run("r", step), lanes.run("r", step), lanes.run("r", step)];
  first.open();
  await Promise.all(all);
  expect(runs).toBe(2);
});

test("different rounds do not wait for each other", async () => {
  const lanes = createRoundLanes();
  const first = gate();
  const waiting = lanes.run("a", () => first.opened);
  await lanes.run("b", async () => first.open());
  await expect(waiting).resolves.toBeUndefined();
});

test("a step that fails does not keep the next from running", async () => {
  const lanes = createRoundLanes();
  const failing = lanes.run("r", () => Promise.reject(new Error("no")));
  const next = lanes.run("r", async () => undefined);
  await expect(failing).rejects.toThrow("no");
  await next;
  await lanes.run("r", async () => undefined);
});
