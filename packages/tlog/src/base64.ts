import { ParseError } from "@quorate/protocol/parse-error";
import { utf8 } from "@quorate/protocol/utf8";
import { base64 } from "@scure/base";

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const noSextet = 0xff;
const sextetOf = new Uint8Array(256).fill(noSextet);
for (const [sextet, character] of [...alphabet].entries()) sextetOf[character.charCodeAt(0)] = sextet;

/**
 * Standard base64 with padding (RFC 4648 §4), in its one canonical spelling: no white space, no missing padding, no stray bits.
 * Written out because replaying a log decodes each of its entries, and generic decoders take most of that time.
 *
 * @throws ParseError naming `what`
 */
export function parseBase64(what: string, text: string): Uint8Array {
  const padding = text.endsWith("==") ? 2 : Number(text.endsWith("="));
  if (text.length % 4 !== 0 || !text.isWellFormed()) throw new ParseError(what, text);
  const characters = utf8(text);
  const digits = text.length - padding;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  let seen = 0;
  let buffer = 0;
  let filled = 0;
  for (let index = 0; index < digits; index += 1) {
    const sextet = sextetOf[characters[index] ?? 0] ?? noSextet;
    seen |= sextet;
    buffer = ((buffer & 0x3ff) << 6) | sextet;
    if ((index & 3) !== 0) bytes[filled++] = buffer >> (6 - 2 * (index & 3));
  }
  const strayBits = buffer & (padding === 0 ? 0 : 2 ** (2 * padding) - 1);
  if (seen > 63 || strayBits !== 0) throw new ParseError(what, text);
  return bytes;
}

export function formatBase64(bytes: Uint8Array): string {
  return base64.encode(bytes);
}
