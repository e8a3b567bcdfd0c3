import { readFile } from "node:fs/promises";
import { indexPackagesByName, parsePackageStanza } from "@quorate/debian/packages";
import { packagesPaths, sourcesPath } from "./environment-pin.ts";
import type { SuiteState } from "./suite-state.ts";

const maxSuggestions = 5;
const maxDistance = 2;

/**
 * Which source was meant by a name that no source of the suite has: the one that builds a binary package of this name, else those whose
 * names are close to it.
 */
export async function similarSources(
  state: SuiteState,
  { components, architecture, name }: { components: readonly string[]; architecture: string; name: string },
): Promise<string[]> {
  for (const path of packagesPaths(state.release, components, architecture)) {
    const source = await sourceOfBinary(state, path, name);
    if (source !== undefined) return [source];
  }
  const near: { candidate: string; distance: number }[] = [];
  for (const component of components) {
    for (const candidate of (await state.index(sourcesPath(component))).names()) {
      const distance = candidate.startsWith(`${name}-`) ? maxDistance : editDistance(name, candidate);
      if (distance <= maxDistance) near.push({ candidate, distance });
    }
  }
  near.sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1));
  return near.slice(0, maxSuggestions).map(({ candidate }) => candidate);
}

async function sourceOfBinary(state: SuiteState, path: string, name: string): Promise<string | undefined> {
  const { stored } = await state.index(path);
  const bytes = await readFile(stored.file);
  const [start, end] = indexPackagesByName(bytes).get(name) ?? [];
  return start === undefined ? undefined : parsePackageStanza(bytes.subarray(start, end).toString("utf8")).source.source;
}

/** Levenshtein's distance; anything beyond `maxDistance` is only said to be beyond it. */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > maxDistance) return maxDistance + 1;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const [left = 0, above = 0, diagonal = 0] = [next[j - 1], row[j], row[j - 1]];
      next.push(Math.min(left + 1, above + 1, diagonal + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    if (Math.min(...next) > maxDistance) return maxDistance + 1;
    row = next;
  }
  return row[b.length] ?? 0;
}
