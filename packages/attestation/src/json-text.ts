import { ParseError } from "@quorate/protocol/parse-error";
import { textOf } from "@quorate/protocol/utf8";

/**
 * JSON from bytes, with the text that it was parsed from (to compare spellings).
 *
 * @throws ParseError naming `what`
 */
export function parseJsonBytes(what: string, bytes: Uint8Array): { text: string; value: unknown } {
  const text = parseUtf8(what, bytes);
  return { text, value: parseJson(what, text) };
}

/** @throws ParseError naming `what`, for bytes that are not UTF-8 */
export function parseUtf8(what: string, bytes: Uint8Array): string {
  try {
    return textOf(bytes);
  } catch (cause) {
    throw new ParseError(`${what} (UTF-8)`, `${bytes.length} bytes`, { cause });
  }
}

/** @throws ParseError naming `what`, for text that is not JSON */
export function parseJson(what: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ParseError(`${what} (JSON)`, text, { cause });
  }
}
