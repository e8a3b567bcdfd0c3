import { expect, test } from "vitest";
import { createPolicyTurns } from "./policy-turns.ts";

/** Work that ends when it is told to, and says in `order` what happens. */
function worker() {
  const order: string[] = [];
  const work = (name: string) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const run = async (): Promise<string> => {
      order.push(`${name} begins`);
      await promise;
      order.push(`${name} ends`);
      return name;
    };
    return { run, end: resolve };
  };
  return { order, work };
}

test("draws run beside each other, a publication waits for them, and those that come meanwhile wait for it", async () => {
  const turns = createPolicyTurns();
  const { order, work } = worker();
  const [first, second, policy, third] = [work("first"), work("second"), work("policy"), work("third")];
  const all = [turns.draw(first.run), turns.draw(second.run), turns.publish(policy.run), turns.draw(third.run)];
  second.end();
  third.end();
  first.end();
  policy.end();
  expect(await Promise.all(all)).toEqual(["first", "second", "policy", "third"]);
  expect(order.slice(0, 2)).toEqual(["first begins", "second begins"]);
  expect(order.slice(4)).toEqual(["policy begins", "policy ends", "third begins", "third ends"]);
});

test("publications come one after the other, and one that fails keeps nobody waiting", async () => {
  const turns = createPolicyTurns();
  const { order, work } = worker();
  const [second, draw] = [work("second"), work("draw")];
  second.end();
  draw.end();
  const failed = turns.publish(() => Promise.reject(new Error("the log is away")));
  const all = [turns.publish(second.run), turns.draw(draw.run)];
  await expect(failed).rejects.toThrow("the log is away");
  await Promise.all(all);
  expect(order).toEqual(["second begins", "second ends", "draw begins", "draw ends"]);
});
