/** The index of an entry in a search or an address, such as `1234`; undefined for any other text. */
export function parseEntryIndex(text: string): number | undefined {
  return /^(?:0|[1-9]\d{0,14})$/.test(text) ? Number(text) : undefined;
}
