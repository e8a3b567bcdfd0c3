import { ParseError } from "@quorate/protocol/parse-error";

/** Whether dpkg leaves a path out when it unpacks. */
export type PathFilter = (path: string) => boolean;

type Rule = { readonly excludes: boolean; readonly pattern: readonly Part[] };

/** A star, or what one character has to be. */
type Part = "star" | ((character: string) => boolean);

/**
 * The `path-exclude` and `path-include` options of dpkg's configuration files, in their order: the last one that matches a path decides
 * (dpkg(1)). Small images leave documentation out with them.
 *
 *     path-exclude=/usr/share/doc/*
 *     path-include=/usr/share/doc/*\/copyright
 *
 * @throws ParseError for a pattern with a range that has no sense
 */
export function parsePathFilter(texts: readonly string[]): PathFilter {
  const rules = texts.flatMap((text) => text.split("\n")).flatMap(ruleOf);
  return (path) => rules.findLast(({ pattern }) => matches(pattern, path))?.excludes ?? false;
}

function ruleOf(line: string): Rule[] {
  const [, option, , glob] = /^(?:--)?path-(exclude|include)(\s*=\s*|\s+)["']?\/(.*?)["']?$/.exec(line.trim()) ?? [];
  return option === undefined || glob === undefined ? [] : [{ excludes: option === "exclude", pattern: parsePattern(glob) }];
}

/** fnmatch(3) without flags: `*` and `?` match slashes too. A bracket that is not closed soon is one: looking on for each would take long. */
function parsePattern(glob: string): Part[] {
  const parts = glob.match(/\*+|\[!?[^\]]{1,256}\]|\\?[\s\S]/g) ?? [];
  return parts.map((part) => {
    if (part.startsWith("*")) return "star";
    if (part === "?") return () => true;
    if (part.length > 2) return parseClass(part);
    const wanted = part.slice(-1);
    return (character) => character === wanted;
  });
}

function parseClass(part: string): (character: string) => boolean {
  const [, not, body = ""] = /^\[(!?)(.*)\]$/s.exec(part) ?? [];
  try {
    const pattern = new RegExp(`[${not === "" ? "" : "^"}${body.replaceAll(/[\\^[]/g, "\\$&")}]`, "s");
    return (character) => pattern.test(character);
  } catch (cause) {
    throw new ParseError("dpkg path pattern", part, { cause });
  }
}

/** Goes back to the last star only, so that no pattern takes long whatever the path is. */
function matches(pattern: readonly Part[], path: string): boolean {
  let [at, part] = [0, 0];
  let star: { at: number; part: number } | undefined;
  while (at < path.length) {
    const wanted = pattern[part];
    if (wanted === "star") star = { at, part: (part += 1) };
    else if (wanted?.(path[at] ?? "")) [at, part] = [at + 1, part + 1];
    else if (star === undefined) return false;
    else [at, part] = [(star.at += 1), star.part];
  }
  return pattern.slice(part).every((rest) => rest === "star");
}
