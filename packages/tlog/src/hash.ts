import { type Sha256, parseSha256 } from "@quorate/protocol/digest";
import { ParseError } from "@quorate/protocol/parse-error";
import { hex } from "@scure/base";
import { formatBase64, parseBase64 } from "./base64.ts";

declare const hashBrand: unique symbol;

/** A node of the tree: 32 bytes of SHA-256. */
export type Hash = Uint8Array & { readonly [hashBrand]: true };

export const hashBytes = 32;

/** @throws ParseError unless `bytes` are 32 bytes */
export function hashFrom(bytes: Uint8Array): Hash {
  if (bytes.length !== hashBytes) throw new ParseError("hash of 32 bytes", `${bytes.length} bytes`);
  return bytes as Hash;
}

/**
 * A hash as a line of base64, such as `CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=`.
 *
 * @throws ParseError naming `what`
 */
export function parseHash(what: string, text: string): Hash {
  if (text.length !== 44) throw new ParseError(what, text);
  return hashFrom(parseBase64(what, text));
}

export function formatHash(hash: Hash): string {
  return formatBase64(hash);
}

/** A hash as statements have it: a digest, in hexadecimal. */
export function sha256FromHash(hash: Hash): Sha256 {
  return parseSha256(hex.encode(hash));
}

/** The inverse of `sha256FromHash`. */
export function hashFromSha256(sha256: Sha256): Hash {
  return hashFrom(hex.decode(sha256));
}

export function equalHashes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
