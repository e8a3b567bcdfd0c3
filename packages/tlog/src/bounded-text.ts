import { ParseError } from "@quorate/protocol/parse-error";
import { textOf } from "@quorate/protocol/utf8";

/**
 * The text of a body from outside, of at most `limit` bytes of UTF-8 (for a string: UTF-16 code units, which are never more).
 *
 * @throws ParseError naming `what`
 */
export function boundedText(what: string, body: Uint8Array | string, limit: number): string {
  if (body.length > limit) throw new ParseError(`${what} of at most ${limit} bytes`, `${body.length} bytes`);
  const text = typeof body === "string" ? body : decode(what, body);
  if (!text.isWellFormed()) throw new ParseError(`${what} in UTF-8`, text);
  return text;
}

function decode(what: string, bytes: Uint8Array): string {
  try {
    return textOf(bytes);
  } catch (cause) {
    throw new ParseError(`${what} in UTF-8`, `${bytes.length} bytes`, { cause });
  }
}
