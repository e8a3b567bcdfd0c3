import { ParseError } from "@quorate/protocol/parse-error";
import { utf8 } from "@quorate/protocol/utf8";
import { base64 } from "@scure/base";

// Of every runtime (HTML, "Base64 utility methods"), pure, and native: replaying a log decodes each of its entries.
declare const atob: (text: string) => string;
declare const btoa: (binary: string) => string;

/**
 * Standard base64 with padding (RFC 4648 §4), in its one canonical spelling: no white space, no missing padding, no stray bits.
 *
 * @throws ParseError naming `what`
 */
export function parseBase64(what: string, text: string): Uint8Array {
  const binary = decode(what, text);
  // Other spellings are decoded too, and are not what comes out again.
  if (btoa(binary) !== text) throw new ParseError(what, text);
  if (binary.length <= shortLength) return bytesOf(binary);
  const bytes = utf8(binary);
  return bytes.length === binary.length ? bytes : bytesOf(binary);
}

/** Up to here a loop takes no longer than an encoder, which signatures would be put through in vain. */
const shortLength = 256;

function decode(what: string, text: string): string {
  try {
    return atob(text);
  } catch (cause) {
    throw new ParseError(what, text, { cause });
  }
}

export function formatBase64(bytes: Uint8Array): string {
  return base64.encode(bytes);
}

/** `Uint8Array.from` would take twenty times as long. */
function bytesOf(binary: string): Uint8Array {
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at += 1) bytes[at] = binary.charCodeAt(at);
  return bytes;
}
