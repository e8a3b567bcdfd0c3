import * as fc from "fast-check";
import { type Format, bytesOf, outcomeOf, vectorsOf } from "../formats/format.ts";
import { mutationsOf } from "./mutation.ts";

export type Fuzzed = {
  readonly format: string;
  readonly inputs: number;
  readonly parsed: number;
  readonly refused: number;
  readonly slowestMilliseconds: number;
};

export type FuzzOptions = {
  readonly inputs: number;
  readonly seed: number;
  /** An input that takes more of the processor's time, each time that it is tried, fails; without it nothing does for its time. */
  readonly limitMilliseconds?: number;
};

/** Once for the answer, and again where it was slow: collecting garbage makes anything slow once. */
const tries = 4;

/** Feeds a format's parser with inputs near its vectors. Throws with the smallest input that fails, and the seed that leads to it. */
export async function fuzzFormat(format: Format, { inputs, seed, limitMilliseconds = Infinity }: FuzzOptions): Promise<Fuzzed> {
  const { valid, invalid } = vectorsOf(format);
  const samples = [...valid, ...valid, ...invalid].map(({ input }) => bytesOf(format, input));
  const counts = { parsed: 0, refused: 0 };
  let slowestMilliseconds = 0;
  const property = fc.asyncProperty(mutationsOf(samples), async (input) => {
    const first = await timed(format, input);
    counts[first.outcome] += 1;
    let fastest = first.milliseconds;
    for (let attempt = 1; attempt < tries && fastest > limitMilliseconds; attempt += 1) {
      fastest = Math.min(fastest, (await timed(format, input)).milliseconds);
    }
    slowestMilliseconds = Math.max(slowestMilliseconds, fastest);
    if (fastest > limitMilliseconds) throw new Error(`took ${fastest.toFixed(0)} ms, ${tries} times over`);
  });
  const { failed, counterexample, errorInstance, counterexamplePath } = await fc.check(property, { numRuns: inputs, seed });
  if (failed) {
    const [input = Buffer.alloc(0)] = counterexample ?? [];
    throw new Error(
      `fuzzing ${format.name} with seed ${seed} (path ${counterexamplePath}), input in base64 ${Buffer.from(input).toString("base64").slice(0, 4000)}`,
      { cause: errorInstance },
    );
  }
  return { format: format.name, inputs, ...counts, slowestMilliseconds };
}

async function timed(format: Format, input: Uint8Array): Promise<{ outcome: "parsed" | "refused"; milliseconds: number }> {
  const before = process.threadCpuUsage();
  const outcome = await outcomeOf(format, input);
  const { user, system } = process.threadCpuUsage(before);
  return { outcome, milliseconds: (user + system) / 1000 };
}
