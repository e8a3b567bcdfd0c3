import * as fc from "fast-check";

/** The longest input that a mutation makes. */
const maxInputBytes = 65_536;

/** What separates, ends, nests or overflows in one of the formats, or is not text at all. */
const tokens = [
  ..."\n|\n\n|\r\n|\0|\t|\x7f|\u00a0|\u2028|\u202e|\ufeff| |  |:|;|,|=|==|+|-|~|/|../|%|%2F|%00|#|\\|\"|'|(|)|— |old |index |extra |none ".split(
    "|",
  ),
  ..."0|-1|-0|00|1.5|1e3|0x10|255|256|65536|4294967296|9007199254740991|9007199254740992|9223372036854775808|18446744073709551616".split(
    "|",
  ),
  ...'""|"\\ud800"|"__proto__"|null|true|[]|{}|[{"a":[]}]|{"__proto__":{"a":1}}|"\\u0000"|1e999|"9007199254740993"'.split("|"),
  "[".repeat(10_000),
  '{"a":'.repeat(5_000),
  "A".repeat(5_000),
  "  a".repeat(3_000),
  "\n".repeat(5_000),
  "x000/".repeat(1_000),
].map((text) => Buffer.from(text));
const notText = [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xc0, 0xaf]].map((bytes) => Buffer.from(bytes));

const lines = /[^\n]*(?:\n|$)/g;
const numbers = /[0-9]+/g;
const words = /[^\s]+/g;
const jsonScalars = /"(?:[^"\\]|\\.)*"|-?[0-9]+|true|false|null/g;
const jsonMembers = /,?"(?:[^"\\]|\\.)*":(?:"(?:[^"\\]|\\.)*"|-?[0-9]+|true|false|null|\[\]|\{\})/g;

/** One change: `at` and `other` choose places, `length` a span or a number of repetitions, `put` what to insert. */
type Change = { kind: keyof typeof changes; at: number; other: number; length: number; put: Buffer };

const changes = {
  insert: (input: Buffer, { at, put }: Change) => splice(input, at % (input.length + 1), 0, put),
  overwrite: (input: Buffer, { at, put }: Change) => splice(input, at % (input.length + 1), put.length, put),
  flip: (input: Buffer, { at, length }: Change) => {
    const place = at % (input.length + 1);
    return splice(input, place, 1, Buffer.of((input[place] ?? 0) ^ (1 << (length % 8))));
  },
  cut: (input: Buffer, { at, length }: Change) => splice(input, at % (input.length + 1), length, Buffer.alloc(0)),
  truncate: (input: Buffer, { at }: Change) => input.subarray(0, at % (input.length + 1)),
  repeat: (input: Buffer, { at, length }: Change) => {
    const place = at % (input.length + 1);
    const span = input.subarray(place, place + (length % 64) + 1);
    return splice(input, place, 0, Buffer.concat(Array.from({ length: length % 300 }, () => span)));
  },
  line: (input: Buffer, change: Change, donor: Buffer) => exchange(input, lines, { ...change, donor }),
  word: (input: Buffer, change: Change, donor: Buffer) => exchange(input, words, { ...change, donor }),
  number: (input: Buffer, change: Change) => exchange(input, numbers, { ...change, donor: change.put }),
  scalar: (input: Buffer, change: Change) => exchange(input, jsonScalars, { ...change, donor: change.put }),
  member: (input: Buffer, change: Change, donor: Buffer) => exchange(input, jsonMembers, { ...change, donor }),
  splice: (input: Buffer, { at, other }: Change, donor: Buffer) =>
    Buffer.concat([input.subarray(0, at % (input.length + 1)), donor.subarray(other % (donor.length + 1))]),
};
const kinds = Object.keys(changes).filter((kind) => kind in changes) as (keyof typeof changes)[];

/**
 * Inputs near to `samples`: one of them with up to five changes (spans, lines, words, numbers and JSON members cut, repeated, exchanged and
 * spliced from another sample), and now and then bytes that resemble none.
 */
export function mutationsOf(samples: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const sample = fc.nat(samples.length - 1).map((at) => Buffer.from(samples[at] ?? []));
  const change: fc.Arbitrary<Change> = fc.record({
    kind: fc.constantFrom(...kinds),
    at: fc.nat(),
    other: fc.nat(),
    length: fc.nat(400),
    put: fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...tokens) }, { weight: 1, arbitrary: fc.constantFrom(...notText) }),
  });
  const mutated = fc.tuple(sample, fc.array(fc.tuple(change, sample), { maxLength: 5 })).map(([start, steps]) => {
    let input: Buffer = start;
    for (const [step, donor] of steps) input = changes[step.kind](input, step, donor).subarray(0, maxInputBytes);
    return input;
  });
  const random = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
  return fc.oneof({ weight: 20, arbitrary: mutated }, { weight: 1, arbitrary: random });
}

function splice(input: Buffer, at: number, remove: number, put: Buffer): Buffer {
  return Buffer.concat([input.subarray(0, at), put, input.subarray(at + remove)]);
}

/** Puts a part of `donor` (all of it, where it has no such part) in the place of one of `input`'s, or leaves one out or twice. */
function exchange(input: Buffer, part: RegExp, { at, other, length, donor }: Change & { donor: Buffer }): Buffer {
  const parts = spansOf(input, part);
  const chosen = parts[at % Math.max(1, parts.length)];
  if (chosen === undefined) return input;
  const [start, end] = chosen;
  const own = input.subarray(start, end);
  if (length % 4 === 0) return splice(input, start, own.length, Buffer.alloc(0));
  if (length % 4 === 1) return splice(input, start, 0, own);
  const given = spansOf(donor, part);
  const [from, to] = given[other % Math.max(1, given.length)] ?? [0, donor.length];
  return splice(input, start, own.length, part === numbers || part === jsonScalars ? donor : donor.subarray(from, to));
}

/** By byte, so that a part keeps its place whatever the bytes are. */
function spansOf(bytes: Buffer, part: RegExp): [start: number, end: number][] {
  return Array.from(bytes.toString("latin1").matchAll(part), ({ index, 0: match }) => [index, index + match.length]);
}
