import { ParseError } from "@quorate/protocol/parse-error";
import { utf8 } from "@quorate/protocol/utf8";

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
  // Other spellings are decoded too: white space or missing padding makes them of another length, stray bits are in the last characters.
  const isCanonical = text.length === 4 * Math.ceil(binary.length / 3) && text.endsWith(btoa(binary.slice(-(binary.length % 3 || 3))));
  if (!isCanonical) throw new ParseError(what, text);
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
  let binary = "";
  for (let at = 0; at < bytes.length; at += mostArguments) {
    binary += Reflect.apply(String.fromCharCode, undefined, bytes.subarray(at, at + mostArguments));
  }
  return btoa(binary);
}

/** A call may have more; how many more depends on the runtime. */
const mostArguments = 8192;

/** `Uint8Array.from` would take twenty times as long. */
function bytesOf(binary: string): Uint8Array {
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at += 1) bytes[at] = binary.charCodeAt(at);
  return bytes;
}
