import { generateKeyPairSync } from "node:crypto";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { p256SignerOf } from "./p256-key.ts";
import { type SignatureCheck, formatSignatureBatch, parseSignatureBatch } from "./signature-batch.ts";
import { SignatureWorkers } from "./signature-workers.ts";

const signer = p256SignerOf(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey);
const checkOf = (text: string): SignatureCheck => {
  const message = new TextEncoder().encode(text);
  return { spki: signer.spki, message, signature: signer.sign(message) };
};

test("a batch is read back as it was written", () => {
  const bytes = fc.uint8Array({ maxLength: 300 });
  fc.assert(
    fc.property(fc.array(fc.record({ spki: bytes, message: bytes, signature: bytes })), (checks) => {
      expect([...parseSignatureBatch(formatSignatureBatch(checks))]).toEqual(checks);
    }),
  );
});

test("other threads tell right signatures from wrong ones, each its own answer", async () => {
  await using workers = new SignatureWorkers(2);
  const answers = Array.from({ length: 300 }, (_, number) => {
    const { spki, message, signature } = checkOf(`message ${number}`);
    const answer = workers.verifyAhead(spki, number % 3 === 0 ? message.toReversed() : message, signature);
    if (answer === undefined) throw new Error("the threads have room for 512");
    return answer;
  });
  expect(await Promise.all(answers)).toEqual(Array.from({ length: 300 }, (_, number) => number % 3 !== 0));
});

test("what is no key and no signature does not verify", async () => {
  await using workers = new SignatureWorkers(1);
  const { message } = checkOf("message");
  expect(await workers.verifyAhead(new Uint8Array(5), message, new Uint8Array(0))).toBe(false);
});

test("threads that have enough to do take no more, and those that ended answer that nothing is proved", async () => {
  const workers = new SignatureWorkers(1);
  const { spki, message, signature } = checkOf("message");
  const taken = [];
  for (let answer = workers.verifyAhead(spki, message, signature); answer !== undefined;) {
    taken.push(answer);
    answer = workers.verifyAhead(spki, message, signature);
  }
  expect(taken.length).toBe(256);
  await workers[Symbol.asyncDispose]();
  expect(await Promise.all(taken)).toHaveLength(256);
  expect(workers.verifyAhead(spki, message, signature)).toBeUndefined();
});
