import { formatBase64, parseBase64 } from "./base64.ts";

/** Base64 of the same bytes but for one bit of the last. */
export function flippedBit(text: string): string {
  const bytes = parseBase64("what is altered", text);
  return formatBase64(bytes.with(bytes.length - 1, (bytes.at(-1) ?? 0) ^ 1));
}
