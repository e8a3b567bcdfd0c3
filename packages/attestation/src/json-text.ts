import { ParseError } from "@quorate/protocol/parse-error";
import { boundedText } from "@quorate/tlog/bounded-text";

/**
 * JSON from at most `limit` bytes, with the text that it was parsed from (to compare spellings).
 *
 * @throws ParseError naming `what`
 */
export function parseJsonBytes(what: string, bytes: Uint8Array, limit: number): { text: string; value: unknown } {
  const text = boundedText(what, bytes, limit);
  return { text, value: parseJson(what, text) };
}

/** @throws ParseError naming `what`, for text that is not JSON */
export function parseJson(what: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ParseError(`${what} (JSON)`, text, { cause });
  }
}
