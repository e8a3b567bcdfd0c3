import { describe, expect, test } from "vitest";
import { bytesOf, outcomeOf, vectorsOf } from "./formats/format.ts";
import { everyFormat } from "./formats/every-format.ts";
import { fuzzFormat } from "./fuzz/fuzz-format.ts";

const inputs = 2000;
const seed = Number(process.env.QUORATE_FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));

/** Those whose parser is a part of another's say nothing about its vectors; those of tlog run beside their parsers, with real signatures. */
const isVectorsOwn = ({ name, vectors }: { name: string; vectors: string }) =>
  !vectors.startsWith("tlog/") && everyFormat.find((format) => format.vectors === vectors)?.name === name;

describe.each(everyFormat.filter(isVectorsOwn))("vectors of $vectors", (format) => {
  const { valid, invalid } = vectorsOf(format);

  test.each(valid)("reads $name", async ({ input }) => {
    expect(await outcomeOf(format, bytesOf(format, input))).toBe("parsed");
  });

  test.each(invalid)("refuses $name: $reason", async ({ input }) => {
    expect(await outcomeOf(format, bytesOf(format, input))).toBe("refused");
  });
});

describe(`${inputs} inputs near the vectors, seed ${seed} (QUORATE_FUZZ_SEED)`, () => {
  test.each(everyFormat)("$name: parsed, or refused by an error that says so", async (format) => {
    const { parsed, refused } = await fuzzFormat(format, { inputs, seed });
    expect(parsed + refused).toBe(inputs);
    expect(parsed).toBeGreaterThan(0);
  });
});
