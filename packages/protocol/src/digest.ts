import { sha256 } from "@noble/hashes/sha2.js";
import { hex } from "@scure/base";
import { z } from "zod";
import { ParseError } from "./parse-error.ts";

declare const sha256Brand: unique symbol;

/** A SHA-256 digest as 64 lower-case hexadecimal digits. */
export type Sha256 = string & { readonly [sha256Brand]: true };

/** @throws ParseError unless `text` is 64 lower-case hexadecimal digits */
export function parseSha256(text: string): Sha256 {
  if (!/^[0-9a-f]{64}$/.test(text)) throw new ParseError("SHA-256 digest", text);
  return text as Sha256;
}

export const sha256Schema = z
  .string()
  .regex(/^[0-9a-f]{64}$/, "must be 64 lower-case hexadecimal digits")
  .transform((text) => text as Sha256);

export function sha256Of(bytes: Uint8Array): Sha256 {
  return hex.encode(sha256(bytes)) as Sha256;
}
