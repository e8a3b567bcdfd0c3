import { ParseError } from "@quorate/protocol/parse-error";
import * as fc from "fast-check";

/** For tests: input that parses, written again; input that is refused as it must be, as it was. Equal to the input when there is one spelling. */
export function respell<Input, Value>(input: Input, parse: (input: Input) => Value, format: (value: Value) => Input): Input {
  try {
    return format(parse(input));
  } catch (error) {
    if (error instanceof ParseError) return input;
    throw error;
  }
}

/** For tests: a text with one to three characters changed, added, left out or doubled, such that most still look right. */
export function mutationsOf(text: string): fc.Arbitrary<string> {
  const character = fc.constantFrom("\n", " ", "=", "0", "1", "A", "B", "a", "+", "/", "-", "é", "\t", "\r", "\0", "—");
  const edit = fc.record({ at: fc.nat(text.length), remove: fc.nat(2), insert: fc.array(character, { maxLength: 2 }) });
  return fc
    .array(edit, { minLength: 1, maxLength: 3 })
    .map((edits) => edits.reduce((now, { at, remove, insert }) => now.slice(0, at) + insert.join("") + now.slice(at + remove), text));
}
