import { maxEntryBytes } from "@quorate/protocol/entry";
import { ParseError } from "@quorate/protocol/parse-error";
import { parseEnvelope } from "./dsse.ts";
import { parseJsonBytes } from "./json-text.ts";

/**
 * The predicate type of an entry's statement, such as `https://quorate.dev/round/v1`. Whether it is a statement otherwise, `parseEntry` says: this is
 * for entries that it has read before.
 *
 * @throws ParseError
 */
export function predicateTypeOf(entry: Uint8Array): string {
  const { value } = parseJsonBytes("in-toto statement", parseEnvelope(entry).payload, maxEntryBytes);
  if (typeof value !== "object" || value === null || !("predicateType" in value) || typeof value.predicateType !== "string")
    throw new ParseError("in-toto statement with a predicate type", JSON.stringify(value));
  return value.predicateType;
}
