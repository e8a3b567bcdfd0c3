/** Numeric ids by name. */
export type AccountIds = ReadonlyMap<string, number>;

/**
 * Names and ids of passwd(5) or group(5), which have the id in the third field of each line. Lines that are something else are left out: a
 * name without an id is compared with nothing.
 *
 *     messagebus:x:101:
 */
export function parseAccountIds(text: string): AccountIds {
  const ids = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [, name, id] = /^([^:#+-][^:]*):[^:]*:(\d{1,10}):/.exec(line) ?? [];
    if (name !== undefined && id !== undefined && !ids.has(name)) ids.set(name, Number(id));
  }
  return ids;
}
