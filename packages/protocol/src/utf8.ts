import { utf8 as coder } from "@scure/base";

/** The UTF-8 bytes of `text`. */
export function utf8(text: string): Uint8Array {
  return coder.decode(text);
}

/** @throws TypeError when `bytes` are not well-formed UTF-8 */
export function textOf(bytes: Uint8Array): string {
  return coder.encode(bytes);
}
