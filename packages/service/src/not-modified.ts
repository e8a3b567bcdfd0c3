import { createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

/** What a client may show to say which state of a resource it has. */
export type Validators = { readonly etag: string; readonly lastModified?: Date | undefined };

/**
 * Whether a client has this state already, by its If-None-Match and, without one, by its If-Modified-Since (RFC 9110 §13.2.2): the answer is
 * then 304. Tags are compared weakly (§8.8.3.2).
 */
export function isNotModified(headers: IncomingHttpHeaders, { etag, lastModified }: Validators): boolean {
  const tags = headers["if-none-match"];
  if (tags !== undefined) return tags.trim() === "*" || tags.split(",").some((tag) => opaque(tag) === opaque(etag));
  const since = Date.parse(headers["if-modified-since"] ?? "");
  return lastModified !== undefined && since >= Math.floor(lastModified.getTime() / 1000) * 1000;
}

/** A tag that only this content has (RFC 9110 §8.8.3), such as `"n4bQgYhMfWWaL-qgxVrQFa"`. */
export function tagOf(content: string | Uint8Array): string {
  return `"${createHash("sha256").update(content).digest("base64url").slice(0, 22)}"`;
}

/** The headers that say it. */
export function validatorHeaders({ etag, lastModified }: Validators): Record<string, string> {
  return { etag, ...(lastModified && { "last-modified": lastModified.toUTCString() }) };
}

const opaque = (tag: string): string => tag.trim().replace(/^W\//, "");
