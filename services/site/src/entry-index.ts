import { z } from "zod";

/** The index of an entry in a search or an address, such as `1234`. */
export const entryIndexSchema = z
  .string()
  .regex(/^(?:0|[1-9]\d{0,14})$/, "must be an index of the log")
  .transform(Number);

/** Undefined for any other text. */
export function parseEntryIndex(text: string): number | undefined {
  return entryIndexSchema.safeParse(text).data;
}
