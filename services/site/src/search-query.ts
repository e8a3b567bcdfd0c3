import { type Sha256, parseSha256 } from "@quorate/protocol/digest";
import { packageNameSchema, packageVersionSchema } from "@quorate/protocol/names";
import { type OperatorId, operatorIdSchema } from "@quorate/protocol/operator";
import { parseEntryIndex } from "./entry-index.ts";

/** What somebody asks for in the search box. */
export type SearchQuery =
  | { readonly kind: "empty" }
  | { readonly kind: "digest"; readonly sha256: Sha256 }
  | { readonly kind: "operator"; readonly operator: OperatorId }
  | { readonly kind: "entry"; readonly index: number }
  | { readonly kind: "file"; readonly file: string; readonly name: string }
  | { readonly kind: "package"; readonly name: string; readonly version: string | undefined }
  | { readonly kind: "unknown"; readonly reason: string };

export const maxQueryCharacters = 400;

/**
 * Reads a search: a SHA-256, an operator's id, a log index, a .deb's file name, a purl, `name=version`, `name_version` or a name.
 *
 *     mailgraph    mailgraph=1.14-20    mailgraph_1.14-20_all.deb    pkg:deb/debian/mailgraph@1.14-20?arch=all    1234
 */
export function parseSearchQuery(text: string): SearchQuery {
  const query = text.trim();
  if (query === "") return { kind: "empty" };
  if (query.length > maxQueryCharacters) return { kind: "unknown", reason: `it has more than ${maxQueryCharacters} characters` };
  const hexadecimal = query.toLowerCase().replace(/^sha256:/, "");
  if (/^[0-9a-f]{64}$/.test(hexadecimal)) return { kind: "digest", sha256: parseSha256(hexadecimal) };
  const operator = operatorIdSchema.safeParse(hexadecimal);
  if (operator.success) return { kind: "operator", operator: operator.data };
  const index = parseEntryIndex(query);
  if (index !== undefined) return { kind: "entry", index };
  return parseFileName(query) ?? parsePurl(query) ?? parseNamed(query);
}

function parseFileName(query: string): SearchQuery | undefined {
  const [, name] = /^([^_/]+)_[^_/]+_[^_/]+\.u?deb$/.exec(query) ?? [];
  return name !== undefined && packageNameSchema.safeParse(name).success ? { kind: "file", file: query, name } : undefined;
}

/** A package URL of a Debian package (purl specification, type `deb`). */
function parsePurl(query: string): SearchQuery | undefined {
  const [, name, version] = /^pkg:deb\/[^/@?#]+\/([^@?#]+)(?:@([^?#]+))?/.exec(query) ?? [];
  if (name === undefined) return undefined;
  return namedOf(decoded(name), version === undefined ? undefined : decoded(version));
}

function parseNamed(query: string): SearchQuery {
  const [, name = query, version] = /^([^=\s_]+)(?:\s*[=\s_]\s*(.+))?$/.exec(query) ?? [];
  return namedOf(name.toLowerCase(), version);
}

function namedOf(name: string, version: string | undefined): SearchQuery {
  if (!packageNameSchema.safeParse(name).success) return { kind: "unknown", reason: "it is no name that a package can have" };
  if (version !== undefined && !packageVersionSchema.safeParse(version).success) {
    return { kind: "unknown", reason: "its part after the name is no version that a package can have" };
  }
  return { kind: "package", name, version };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
