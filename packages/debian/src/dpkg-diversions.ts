import { ParseError } from "@quorate/protocol/parse-error";

/** A path that is installed elsewhere, unless it is the diverting package that installs it. */
export type Diversion = {
  /** Without the leading `/`. */
  readonly from: string;
  readonly to: string;
  /** None for one that the administrator made. */
  readonly package?: string;
};

/**
 * The file `/var/lib/dpkg/diversions`, three lines each: the path, where it goes instead, and the package that diverts, `:` for none
 * (dpkg-divert(1)).
 *
 *     /bin/sh
 *     /bin/sh.distrib
 *     dash
 *
 * @throws ParseError
 */
export function parseDiversions(text: string): Diversion[] {
  const lines = text.split("\n");
  if (lines.pop() !== "" || lines.length % 3 !== 0) throw new ParseError("dpkg diversions (three lines each)", text.slice(-200));
  return Array.from({ length: lines.length / 3 }, (_, at) => {
    const [from = "", to = "", owner = ""] = lines.slice(at * 3, at * 3 + 3);
    if (!from.startsWith("/") || !to.startsWith("/") || owner === "") throw new ParseError("dpkg diversion", `${from} ${to} ${owner}`);
    return { from: from.slice(1), to: to.slice(1), ...(owner === ":" ? {} : { package: owner }) };
  });
}
