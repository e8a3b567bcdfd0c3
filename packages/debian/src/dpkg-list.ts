import { ParseError } from "@quorate/protocol/parse-error";

/** More paths than any package has. */
const maxPaths = 500_000;

/**
 * The paths that a package installed, as `/var/lib/dpkg/info/PACKAGE.list` has them: absolute, one a line, the root itself as `/.`. As in a
 * manifest they come without the leading `/`, and the root is `.`.
 *
 *     /.
 *     /usr
 *     /usr/bin/hello
 *
 * @throws ParseError for a path that is not absolute
 */
export function parseDpkgList(text: string): string[] {
  const lines = text.split("\n");
  if (lines.pop() !== "" || lines.length > maxPaths) throw new ParseError(`dpkg list of at most ${maxPaths} lines`, text.slice(-200));
  return lines.map((line) => {
    if (!line.startsWith("/")) throw new ParseError("dpkg list: absolute path", line);
    return line.slice(1);
  });
}
