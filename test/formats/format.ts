import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ParseError } from "@quorate/protocol/parse-error";

/** How outside input of one format is read, and where its vectors are: test/vectors/<vectors>.json. */
export type Format = {
  readonly name: string;
  readonly vectors: string;
  /** The vectors' inputs are text unless they hold bytes, in hexadecimal. */
  readonly encoding?: "hex";
  /** What it returns is not looked at; a promise is awaited. */
  readonly parse: (input: Uint8Array) => unknown;
  /** The errors that refuse an input: what the parser documents, ParseError and no other unless it says so. */
  readonly refusals?: readonly (new (...parameters: never[]) => Error)[];
};

type Valid = { name: string; input: string };
type Invalid = { name: string; input: string; reason: string };

export type Vectors = { valid: Valid[]; invalid: Invalid[] };

/** The vectors are for implementations in any language (test/vectors/README.md). */
export function vectorsOf({ vectors }: Format): Vectors {
  const file = JSON.parse(readFileSync(join(import.meta.dirname, "..", "vectors", `${vectors}.json`), "utf8"));
  return { valid: file.valid, invalid: file.invalid ?? [...file.malformed, ...file.unproven] };
}

export function bytesOf({ encoding }: Format, input: string): Uint8Array {
  return Buffer.from(input, encoding ?? "utf8");
}

/** What a format does with an input; an error that is none of its refusals is thrown on. */
export async function outcomeOf({ parse, refusals = [ParseError] }: Format, input: Uint8Array): Promise<"parsed" | "refused"> {
  try {
    await parse(input);
    return "parsed";
  } catch (error) {
    if (refusals.some((refusal) => error instanceof refusal)) return "refused";
    throw error;
  }
}

/**
 * Bytes as a text that a parser may be given by a caller that read it from JSON: where UTF-8 has an encoded surrogate, which no decoder lets
 * through, it has a lone one.
 */
export function looseText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("utf8").replaceAll("\ufffd\ufffd\ufffd", "\ud800");
}

/** Parses, and demands that what was parsed is written as it stood: the format has one spelling. */
export function inOneSpelling<Value>(parse: (text: string) => Value, format: (value: Value) => string): (input: Uint8Array) => void {
  return (input) => {
    const text = looseText(input);
    const written = format(parse(text));
    if (written !== text) throw new Error(`parsed, but written as ${JSON.stringify(written.slice(0, 1000))}`);
  };
}
