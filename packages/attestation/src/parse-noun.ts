import { ParseError } from "@quorate/protocol/parse-error";
import type { z } from "zod";

/**
 * A value that must have the form of a noun.
 *
 * @throws ParseError naming `what` and the first member that is wrong
 */
export function parseNoun<Schema extends z.ZodType>(schema: Schema, what: string, value: unknown): z.output<Schema> {
  const { data, error } = schema.safeParse(value);
  if (!error) return data;
  const [issue] = error.issues;
  const where = issue?.path.map(String).join(".") || "the whole";
  throw new ParseError(what, `${where}: ${issue?.message ?? "invalid"}`, { cause: error });
}
