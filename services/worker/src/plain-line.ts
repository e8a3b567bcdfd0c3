const notPlain = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]+/gu;

/** One line for people out of any text: control, line-separating and bidirectional-override characters become a space; at most `max` long. */
export function plainLine(text: string, max: number): string {
  const line = text
    .slice(0, max * 2)
    .toWellFormed()
    .replaceAll(notPlain, " ")
    .trim();
  const cut = line.length > max ? `${line.slice(0, max - 1)}…` : line;
  return cut.toWellFormed() || "(nothing)";
}
