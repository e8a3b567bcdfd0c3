import { ParseError } from "@quorate/protocol/parse-error";

/** For tests: input that parses, written again; input that is refused as it must be, as it was. Equal to the input when there is one spelling. */
export function respell<Input, Value>(input: Input, parse: (input: Input) => Value, format: (value: Value) => Input): Input {
  try {
    return format(parse(input));
  } catch (error) {
    if (error instanceof ParseError) return input;
    throw error;
  }
}
