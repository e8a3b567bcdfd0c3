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
  // Padding counts as digits of zero, which make bytes that are cut off.
  const characters = utf8(padding === 0 ? text : text.slice(0, -padding) + "A".repeat(padding));
  const bytes = new Uint8Array((text.length / 4) * 3);
  let seen = characters.length === text.length ? 0 : noSextet;
  let filled = 0;
  for (let at = 0; at < text.length; at += 4) {
    const [a, b, c, d] = [
      sextetAt(characters, at),
      sextetAt(characters, at + 1),
      sextetAt(characters, at + 2),
      sextetAt(characters, at + 3),
    ];
    seen |= a | b | c | d;
    bytes[filled++] = (a << 2) | (b >> 4);
    bytes[filled++] = (b << 4) | (c >> 2);
    bytes[filled++] = (c << 6) | d;
  }
  const strayBits = bytes.subarray(filled - padding).some((byte) => byte !== 0);
  if (seen > 63 || strayBits) throw new ParseError(what, text);
  return bytes.subarray(0, filled - padding);
}

function sextetAt(characters: Uint8Array, at: number): number {
  return sextetOf[characters[at] ?? 0] ?? noSextet;
}

export function formatBase64(bytes: Uint8Array): string {
  return base64.encode(bytes);
}
