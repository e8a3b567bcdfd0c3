import { sha256 } from "@noble/hashes/sha2.js";
import { hex } from "@scure/base";
import { z } from "zod";
import { ParseError } from "./parse-error.ts";

// The brand is one of the type alone: a transformation would be called for each digest of each entry that is replayed.
export const sha256Schema = z
  .string()
  .regex(/^[0-9a-f]{64}$/, "must be 64 lower-case hexadecimal digits")
  .meta({ examples: ["b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9"] })
  .brand<"Sha256">();

/** A SHA-256 digest as 64 lower-case hexadecimal digits. */
export type Sha256 = z.infer<typeof sha256Schema>;

/** @throws ParseError unless `text` is 64 lower-case hexadecimal digits */
export function parseSha256(text: string): Sha256 {
  if (!/^[0-9a-f]{64}$/.test(text)) throw new ParseError("SHA-256 digest", text);
  return text as Sha256;
}

/** Of some bytes; a faster implementation may be handed to whoever needs many. */
export type DigestOf = (bytes: Uint8Array) => Sha256;

export function sha256Of(bytes: Uint8Array): Sha256 {
  return hex.encode(sha256(bytes)) as Sha256;
}
