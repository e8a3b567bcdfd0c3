import { ParseError } from "@quorate/protocol/parse-error";

export const maxBundleEntries = 256;
const maxEntryLength = 0xffff;

/**
 * An entry bundle (C2SP tlog-tiles, "Log entries"): for each of 1 to 256 entries, its length as two bytes, big-endian, and its bytes.
 *
 * @throws RangeError for no entries, more than 256, or one above 65,535 bytes
 */
export function formatEntryBundle(entries: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  if (entries.length === 0 || entries.length > maxBundleEntries) {
    throw new RangeError(`formatting an entry bundle: ${entries.length} entries instead of 1 to ${maxBundleEntries}`);
  }
  const bundle = new Uint8Array(entries.reduce((total, entry) => total + 2 + entry.length, 0));
  let offset = 0;
  for (const entry of entries) {
    if (entry.length > maxEntryLength) throw new RangeError(`formatting an entry bundle: an entry of ${entry.length} bytes`);
    bundle[offset] = entry.length >> 8;
    bundle[offset + 1] = entry.length & 0xff;
    bundle.set(entry, offset + 2);
    offset += 2 + entry.length;
  }
  return bundle;
}

/**
 * The entries of a bundle, as views into `bytes`. The bundle must be whole: no cut entry, nothing after the last.
 *
 * @throws ParseError
 */
export function parseEntryBundle(bytes: Uint8Array): Uint8Array[] {
  const entries: Uint8Array[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    if (entries.length === maxBundleEntries)
      throw new ParseError(`entry bundle of at most ${maxBundleEntries} entries`, `${bytes.length} bytes`);
    const [high, low] = [bytes[offset], bytes[offset + 1]];
    if (high === undefined || low === undefined) throw new ParseError("entry bundle", `cut at byte ${offset}, in a length`);
    const end = offset + 2 + high * 256 + low;
    if (end > bytes.length) throw new ParseError("entry bundle", `cut at byte ${bytes.length}, in entry ${entries.length}`);
    entries.push(bytes.subarray(offset + 2, end));
    offset = end;
  }
  if (entries.length === 0) throw new ParseError("entry bundle", "no entries");
  return entries;
}
