import { basename, resolve } from "node:path";
import type { Locator } from "../locator.ts";

/** Programs that run what their first argument names. */
const interpreter = /^(?:(?:ba|da|z|k)?sh|busybox|(?:python|perl|ruby|php|lua|tclsh|node|nodejs)[\d.]*)$/;

/**
 * The script that an interpreter was started with, by its arguments (`/proc/PID/cmdline`): the first that is no option. It may be the value of
 * one, or a command: there is a file of that name only if it is a script.
 */
export function scriptOf(program: string, argumentsText: string, workingDirectory: () => string): string | undefined {
  if (!interpreter.test(basename(program))) return undefined;
  const argument = argumentsText.split("\0").find((word, at) => at > 0 && word !== "" && !word.startsWith("-"));
  return argument === undefined ? undefined : resolve(argument.startsWith("/") ? "/" : workingDirectory(), argument);
}

/**
 * Names of the libraries that `LD_PRELOAD` and `LD_AUDIT` in an environment (`/proc/PID/environ`) have loaded into a program, ld.so(8): as they
 * are written, and as symbolic links lead to them.
 */
export function preloadsOf(environmentText: string, locator: Pick<Locator, "follow">): ReadonlySet<string> {
  const entries = environmentText
    .split("\0")
    .flatMap((variable) => /^LD_(?:PRELOAD|AUDIT)=(.*)$/s.exec(variable)?.[1]?.split(/[ :]/) ?? [])
    .filter((entry) => entry !== "");
  const placed = entries.flatMap((entry) => (entry.startsWith("/") ? (locator.follow(entry.slice(1)) ?? []) : []));
  return new Set([...entries, ...placed].map((path) => basename(path)));
}
