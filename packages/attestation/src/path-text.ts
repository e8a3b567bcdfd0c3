import { ParseError } from "@quorate/protocol/parse-error";
import { textOf, utf8 } from "@quorate/protocol/utf8";

/**
 * What a path may not hold in a line of text: `%`, white space and control characters, and the bidirectional marks that make a line look
 * like another. Lone surrogates U+DC80 to U+DCFF stand for bytes that are not UTF-8.
 */
// eslint-disable-next-line no-control-regex -- control characters are what is escaped
const escaped = /[\0-\x20%\x7f-\xa0\u2028-\u202e\u2066-\u2069\ufeff]|[\udc80-\udcff]/gu;

/** The same by code unit, which is faster: low surrogates also end the pairs that need no escape. Few paths hold any of these. */
// eslint-disable-next-line no-control-regex, no-misleading-character-class -- as above
const mayNeedEscape = /[\0-\x20%\x7f-\xa0\u2028-\u202e\u2066-\u2069\ufeff\udc80-\udcff]/;

/**
 * A file's path from the bytes that a file system or an archive holds. A byte that is not part of UTF-8 becomes the lone surrogate
 * U+DC00 + byte, so that different bytes stay different paths.
 */
export function decodePath(bytes: Uint8Array): string {
  try {
    return textOf(bytes);
  } catch {
    return decodeLossless(bytes);
  }
}

/** The inverse of `decodePath`. */
export function encodePath(path: string): Uint8Array {
  if (path.isWellFormed()) return utf8(path);
  const parts = path
    .split(/([\udc80-\udcff])/u)
    .map((part) => (/^[\udc80-\udcff]$/u.test(part) ? [part.charCodeAt(0) - 0xdc00] : utf8(part)));
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/**
 * A path as one word of a line: bytes of the characters that a line cannot hold are percent-encoded.
 *
 *     escapePath("build/a b%.o") === "build/a%20b%25.o"
 *
 * @throws TypeError for a surrogate that stands for no byte
 */
export function escapePath(path: string): string {
  return mayNeedEscape.test(path) ? path.replace(escaped, percentEncode) : path;
}

/**
 * The inverse of `escapePath`.
 *
 * @throws ParseError for a word that `escapePath` would not have written
 */
export function unescapePath(text: string): string {
  if (!text.isWellFormed()) throw new ParseError("percent-encoded path", text);
  const path = text.includes("%") ? decodePath(percentDecode(text)) : text;
  if (escapePath(path) !== text) throw new ParseError("percent-encoded path", text);
  return path;
}

/** Orders texts by their UTF-8 bytes, which is by code point; `<` orders by UTF-16 code unit. */
export function compareByBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left !== right) return rankOf(left) - rankOf(right);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above all others, so they come after U+E000 to U+FFFF. */
function rankOf(codeUnit: number): number {
  return codeUnit >= 0xd800 && codeUnit <= 0xdfff ? codeUnit + 0x1_0000 : codeUnit;
}

function percentEncode(character: string): string {
  const code = character.charCodeAt(0);
  const bytes = code >= 0xdc80 && code <= 0xdcff ? Uint8Array.of(code - 0xdc00) : utf8(character);
  return Array.from(bytes, (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("");
}

function percentDecode(text: string): Uint8Array {
  const bytes = utf8(text);
  const decoded = new Uint8Array(bytes.length);
  let length = 0;
  for (let at = 0; at < bytes.length; at += 1) {
    const value = bytes[at] === 0x25 ? hexByte(bytes[at + 1], bytes[at + 2]) : undefined;
    decoded[length] = value ?? bytes[at] ?? 0;
    length += 1;
    if (value !== undefined) at += 2;
  }
  return decoded.subarray(0, length);
}

function hexByte(high: number | undefined, low: number | undefined): number | undefined {
  const [first, second] = [hexDigit(high), hexDigit(low)];
  return first === undefined || second === undefined ? undefined : first * 16 + second;
}

/** Upper case only: a path has one spelling. */
function hexDigit(code = 0): number | undefined {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  return code >= 0x41 && code <= 0x46 ? code - 0x37 : undefined;
}

/** Bytes of valid sequences decode as UTF-8, every other byte by itself. */
function decodeLossless(bytes: Uint8Array): string {
  let path = "";
  let valid = 0;
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at);
    if (length === 0) {
      path += textOf(bytes.subarray(valid, at)) + String.fromCharCode(0xdc00 + (bytes[at] ?? 0));
      valid = at + 1;
    }
    at += Math.max(1, length);
  }
  return path + textOf(bytes.subarray(valid));
}

/** How long the UTF-8 sequence is that begins there; 0 where none does (Unicode §3.9, table 3-7). */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  const [least, most] = secondByteRange(first);
  const second = bytes[at + 1] ?? 0;
  if (second < least || second > most) return 0;
  for (let next = at + 2; next < at + length; next += 1) if (((bytes[next] ?? 0) & 0xc0) !== 0x80) return 0;
  return length;
}

/** Narrower after some first bytes: no overlong spellings, no surrogates, nothing beyond U+10FFFF. */
function secondByteRange(first: number): [least: number, most: number] {
  switch (first) {
    case 0xe0:
      return [0xa0, 0xbf];
    case 0xed:
      return [0x80, 0x9f];
    case 0xf0:
      return [0x90, 0xbf];
    case 0xf4:
      return [0x80, 0x8f];
    default:
      return [0x80, 0xbf];
  }
}
