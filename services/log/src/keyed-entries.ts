import { maxEntryBytes } from "@quorate/protocol/entry";
import { ParseError } from "@quorate/protocol/parse-error";
import { utf8 } from "@quorate/protocol/utf8";
import { formatEntryBundle, maxBundleEntries, parseEntryBundle } from "@quorate/tlog/entry-bundle";

/** An entry to be appended, and the logical key under which the log keeps one. */
export type KeyedBytes = { readonly key: string; readonly bytes: Uint8Array };

/** A logical key: 1 to 200 printable ASCII characters without spaces. */
export const keyPattern = /^[!-~]{1,200}$/;

export const maxKeyedEntries = maxBundleEntries / 2;
export const maxKeyedEntriesBytes = maxKeyedEntries * (2 + 200 + 2 + maxEntryBytes);

/**
 * The body of `POST /add-entries`: an entry bundle (C2SP tlog-tiles, "Log entries") of keys and entries by turns.
 *
 *     00 08 "target/a" 00 02 "{}" 00 08 "target/b" 00 02 "{}"
 *
 * @throws ParseError for anything else, more than 128 entries, a key that is none, or an empty entry
 */
export function parseKeyedEntries(body: Uint8Array): KeyedBytes[] {
  const parts = parseEntryBundle(body);
  if (parts.length % 2 !== 0) throw new ParseError("bundle of keys and entries by turns", `${parts.length} of them`);
  const entries: KeyedBytes[] = [];
  for (let position = 0; position < parts.length; position += 2) {
    const [name, bytes] = [parts[position], parts[position + 1]];
    if (name === undefined || bytes === undefined) continue;
    // One character a byte, so that whatever is not ASCII fails the pattern.
    const key = Buffer.from(name).toString("latin1");
    if (!keyPattern.test(key)) throw new ParseError(`key of entry ${position / 2}`, key);
    if (bytes.length === 0) throw new ParseError(`entry ${position / 2}, of 1 to ${maxEntryBytes} bytes`, "");
    entries.push({ key, bytes });
  }
  return entries;
}

/** The inverse of `parseKeyedEntries`. */
export function formatKeyedEntries(entries: readonly KeyedBytes[]): Uint8Array {
  return formatEntryBundle(entries.flatMap(({ key, bytes }) => [utf8(key), bytes]));
}
