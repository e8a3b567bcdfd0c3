import { ParseError } from "@quorate/protocol/parse-error";
import { base64 } from "@scure/base";

/**
 * Standard base64 with padding (RFC 4648 §4), in its one canonical spelling: no white space, no missing padding, no stray bits.
 *
 * @throws ParseError naming `what`
 */
export function parseBase64(what: string, text: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = base64.decode(text);
  } catch (cause) {
    throw new ParseError(what, text, { cause });
  }
  // The decoder may be the engine's own; one spelling is a promise of ours.
  if (base64.encode(bytes) !== text) throw new ParseError(what, text);
  return bytes;
}

export function formatBase64(bytes: Uint8Array): string {
  return base64.encode(bytes);
}
