import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type TraceFile, compareTraces } from "./build-trace.ts";
import { digestOf } from "./nouns.fixture.ts";
import { diffTraces, groupDifference, groupOf } from "./trace-difference.ts";

function fileOf(path: string, content = path): TraceFile {
  return { path, sizeBytes: content.length, sha256: digestOf(content) };
}

const path = fc.constantFrom("a", "b", "dir/c.o", "dir/d.o", "dir/e.h", "dir/deep/f.o", ".hidden");
const trace = fc
  .uniqueArray(fc.record({ path, content: fc.constantFrom("1", "2") }), { selector: (file) => file.path })
  .map((files) => files.map((file) => fileOf(file.path, file.content)));

describe("the difference of two build traces", () => {
  test("has every file of both, once, and agrees with the counts that verdicts use", () => {
    fc.assert(
      fc.property(trace, trace, (first, second) => {
        const { equal, different, onlyInFirst, onlyInSecond } = diffTraces(first, second);
        const paths = [...equal, ...different, ...onlyInFirst, ...onlyInSecond].map((file) => file.path);
        expect(paths.toSorted()).toEqual([...new Set([...first, ...second].map((file) => file.path))].toSorted());
        expect(compareTraces(first, second)).toEqual({ common: equal.length + different.length, equal: equal.length });
      }),
    );
  });

  test("is the same from the other side, with the sides exchanged", () => {
    fc.assert(
      fc.property(trace, trace, (first, second) => {
        const [there, back] = [diffTraces(first, second), diffTraces(second, first)];
        expect(back.onlyInFirst).toEqual(there.onlyInSecond);
        expect(new Set(back.different)).toEqual(
          new Set(there.different.map((file) => ({ ...file, first: file.second, second: file.first }))),
        );
      }),
    );
  });

  test("is grouped by directory and kind of file, and names only groups in which something differs", () => {
    const first = [fileOf("src/a.o", "1"), fileOf("src/b.o", "1"), fileOf("src/c.o"), fileOf("src/c.h"), fileOf("gone")];
    const second = [fileOf("src/a.o", "2"), fileOf("src/b.o", "2"), fileOf("src/c.o"), fileOf("src/c.h"), fileOf("doc/new.txt")];
    const none = { equal: 0, different: 0, onlyInFirst: 0, onlyInSecond: 0 };
    expect(groupDifference(diffTraces(first, second))).toEqual([
      { ...none, files: "src/*.o", equal: 1, different: 2 },
      { ...none, files: "*", onlyInFirst: 1 },
      { ...none, files: "doc/*.txt", onlyInSecond: 1 },
    ]);
  });

  test.each([
    ["main.o", "*.o"],
    ["a/b/libx.so.1", "a/b/*.1"],
    ["a/.config", "a/*"],
    ["a/two\nlines.o", "a/*.o"],
    ["a/name.with a space", "a/*"],
  ])("%j is of the group %j", (path, group) => {
    expect(groupOf(path)).toBe(group);
  });
});
