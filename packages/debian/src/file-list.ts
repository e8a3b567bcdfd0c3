import { parseSha256, type Sha256 } from "@quorate/protocol/digest";
import { ParseError } from "@quorate/protocol/parse-error";

export type ListedFile = { readonly sha256: Sha256; readonly sizeBytes: number; readonly path: string };

const line = /^([0-9a-f]{64})[ \t]+(0|[1-9]\d{0,15})[ \t]+(\S+)$/;

/**
 * One line of a `SHA256` or `Checksums-Sha256` field, Debian Policy §5.6.24: digest, size in bytes, name.
 *
 *     31e066137a962676e89f69d1b65382de95a7ef7d914b8cb956f41ea72e0f516b 725946 hello_2.10.orig.tar.gz
 *
 * @throws ParseError for anything else
 */
export function parseListedFile(text: string): ListedFile {
  const [, digest, size, path] = line.exec(text) ?? [];
  const sizeBytes = Number(size);
  if (digest === undefined || path === undefined || !Number.isSafeInteger(sizeBytes)) throw new ParseError("checksum line", text);
  return { sha256: parseSha256(digest), sizeBytes, path };
}

/** The inverse of `parseListedFile`. */
export function formatListedFile({ sha256, sizeBytes, path }: ListedFile): string {
  return `${sha256} ${sizeBytes} ${path}`;
}
