import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

/** `--log URL|DIR` as a URL: a directory that holds `checkpoint` and `tile/` is a log too. */
export function logUrlOf(location: string): string {
  return /^(?:https?|file):\/\//.test(location) ? location.replace(/\/+$/, "") : pathToFileURL(resolve(location)).href;
}
