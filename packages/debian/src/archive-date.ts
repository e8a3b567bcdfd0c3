import { formatTime } from "@quorate/protocol/names";
import { ParseError } from "@quorate/protocol/parse-error";

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const grammar =
  /^(?:[A-Z][a-z]{2}, {1,2})?(\d{1,2}) ([A-Z][a-z]{2}) ([1-9]\d{3}) (\d\d):(\d\d):(\d\d) (?:UTC|GMT|Z|([+-])([01]\d|2[0-3])([0-5]\d))$/;

/**
 * The time of a Release file's `Date` or a changelog's trailer (RFC 5322 with `UTC` allowed), as RFC 3339 in UTC to the second.
 *
 *     parseArchiveDate("Sat, 11 Jul 2026 10:16:37 UTC") === "2026-07-11T10:16:37Z"
 *
 * @throws ParseError for anything else, and for a day, an hour or an offset that does not exist
 */
export function parseArchiveDate(text: string): string {
  const match = grammar.exec(text);
  if (match === null) throw new ParseError("date", text);
  const [, day, monthName = "", year, hour, minute, second, sign, offsetHours = "0", offsetMinutes = "0"] = match;
  const month = months.indexOf(monthName);
  const parts = [Number(year), month, Number(day), Number(hour), Number(minute), Number(second)] as const;
  const local = new Date(Date.UTC(...parts));
  const kept = [local.getUTCMonth(), local.getUTCDate(), local.getUTCHours(), local.getUTCMinutes(), local.getUTCSeconds()];
  if (month < 0 || kept.some((value, i) => value !== parts[i + 1])) throw new ParseError("date", text);
  const offsetSeconds = (Number(offsetHours) * 60 + Number(offsetMinutes)) * (sign === "-" ? -60 : 60);
  const time = new Date(local.getTime() - offsetSeconds * 1000);
  if (time.getUTCFullYear() > 9999 || time.getUTCFullYear() < 1000) throw new ParseError("date", text);
  return formatTime(time);
}
