import { ParseError } from "@quorate/protocol/parse-error";

/**
 * A non-negative integer as ASCII decimal, such as `20852163`: no sign, no leading zeros, at most 2^53 - 1 so that it is exact.
 *
 * @throws ParseError naming `what`
 */
export function parseDecimal(what: string, text: string): number {
  if (!/^(?:0|[1-9][0-9]{0,15})$/.test(text)) throw new ParseError(what, text);
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new ParseError(what, text);
  return value;
}

/** @throws RangeError unless `value` is an integer between 0 and 2^53 - 1 */
export function formatDecimal(what: string, value: number): string {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RangeError(`formatting ${what}: ${value} is not an integer between 0 and 2^53 - 1`);
  return String(value);
}
