import type { TraceFile } from "./build-trace.ts";

/** A file that both traces list, with other bytes. */
export type DifferentFile = { readonly path: string; readonly first: FileContent; readonly second: FileContent };
type FileContent = Pick<TraceFile, "sizeBytes" | "sha256">;

/** Files in the order of the traces. */
export type TraceDifference = {
  readonly equal: readonly TraceFile[];
  readonly different: readonly DifferentFile[];
  readonly onlyInFirst: readonly TraceFile[];
  readonly onlyInSecond: readonly TraceFile[];
};

/** Files of one directory and one kind, which is the end of their names: `build/src/*.o`, or `build/*` for names without one. */
export type FileGroup = { readonly files: string } & { readonly [Kind in keyof TraceDifference]: number };

/** In what two build traces differ, file by file. */
export function diffTraces(first: readonly TraceFile[], second: readonly TraceFile[]): TraceDifference {
  const inSecond = new Map(second.map((file) => [file.path, file]));
  const inFirst = new Set(first.map(({ path }) => path));
  const [equal, different, onlyInFirst]: [TraceFile[], DifferentFile[], TraceFile[]] = [[], [], []];
  for (const file of first) {
    const other = inSecond.get(file.path);
    if (other === undefined) onlyInFirst.push(file);
    else if (other.sha256 === file.sha256) equal.push(file);
    else different.push({ path: file.path, first: contentOf(file), second: contentOf(other) });
  }
  return { equal, different, onlyInFirst, onlyInSecond: second.filter(({ path }) => !inFirst.has(path)) };
}

/** The groups in which something differs, those with most of it first. */
export function groupDifference(difference: TraceDifference): FileGroup[] {
  const groups = new Map<string, { -readonly [Key in keyof FileGroup]: FileGroup[Key] }>();
  for (const kind of ["equal", "different", "onlyInFirst", "onlyInSecond"] as const) {
    for (const { path } of difference[kind]) {
      const files = groupOf(path);
      const group = groups.get(files) ?? { files, equal: 0, different: 0, onlyInFirst: 0, onlyInSecond: 0 };
      groups.set(files, group);
      group[kind] += 1;
    }
  }
  return [...groups.values()].filter((group) => unlike(group) > 0).sort((a, b) => unlike(b) - unlike(a) || (a.files < b.files ? -1 : 1));
}

/** The group that a file is in. */
export function groupOf(path: string): string {
  const [, directory = "", name = path] = /^(.*\/)?([^/]*)$/s.exec(path) ?? [];
  const [ending = ""] = /(?<=.)\.[A-Za-z0-9]{1,10}$/.exec(name) ?? [];
  return `${directory}*${ending}`;
}

function unlike({ different, onlyInFirst, onlyInSecond }: FileGroup): number {
  return different + onlyInFirst + onlyInSecond;
}

function contentOf({ sizeBytes, sha256 }: TraceFile): FileContent {
  return { sizeBytes, sha256 };
}
