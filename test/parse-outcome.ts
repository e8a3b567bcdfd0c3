import { ParseError } from "@quorate/protocol/parse-error";

/** What a parser did with outside input: only these two are right. Any other error is thrown on. */
export function parseOutcome(parse: () => unknown): "parsed" | "refused" {
  try {
    parse();
    return "parsed";
  } catch (error) {
    if (error instanceof ParseError) return "refused";
    throw error;
  }
}
