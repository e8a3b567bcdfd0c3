import { ParseError } from "@quorate/protocol/parse-error";

/** Owner and mode that dpkg gives a path instead of those in its package. */
export type StatOverride = {
  /** A name, or `#` and a number. */
  readonly owner: string;
  readonly group: string;
  readonly mode: number;
  /** Without the leading `/`. */
  readonly path: string;
};

/**
 * The file `/var/lib/dpkg/statoverride`, a line each (dpkg-statoverride(1)).
 *
 *     root messagebus 4754 /usr/lib/dbus-1.0/dbus-daemon-launch-helper
 *
 * @throws ParseError
 */
export function parseStatOverrides(text: string): StatOverride[] {
  const lines = text.split("\n");
  if (lines.pop() !== "") throw new ParseError("dpkg statoverride (every line ends in a newline)", text.slice(-200));
  return lines.map((line) => {
    const [, owner, group, mode, path] = /^(\S+) (\S+) ([0-7]{3,4}) \/(.+)$/.exec(line) ?? [];
    if (owner === undefined || group === undefined || mode === undefined || path === undefined) {
      throw new ParseError("dpkg statoverride: owner, group, mode and absolute path", line);
    }
    return { owner, group, mode: Number.parseInt(mode, 8), path };
  });
}
