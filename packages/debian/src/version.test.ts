import { spawnSync } from "node:child_process";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { binNmuSuffix, compareVersions, formatVersion, newestVersion, parseVersion } from "./version.ts";

const part = fc.string({ unit: fc.constantFrom(..."0123459abzAZ.+~"), maxLength: 8 });
const version = fc
  .tuple(fc.option(fc.integer({ min: 0, max: 12 }), { nil: undefined }), fc.stringMatching(/^\d$/), part, fc.option(part, { nil: "" }))
  .map(
    ([epoch, digit, upstream, revision]) =>
      `${epoch === undefined ? "" : `${epoch}:`}${digit}${upstream}${revision === "" ? "" : `-${revision}`}`,
  );

const real = [
  "1.0",
  "1.00",
  "1.0-1",
  "1.0~rc1",
  "1.0~~",
  "1.0+b1",
  "1.0-1+b1",
  "0:1.0",
  "1:0.1",
  "2.36-9+deb12u10",
  "2.36-9+deb12u9",
  "1.0-a-1",
  "20",
  "0.0",
];

describe("Debian versions", () => {
  test("are ordered as dpkg orders them", () => {
    const random = fc.sample(fc.tuple(version, version), { numRuns: 400, seed: 20 });
    const near = fc
      .sample(fc.tuple(version, fc.constantFrom("~", "+b1", ".0", "0", "a")), { numRuns: 100, seed: 21 })
      .map(([a, b]) => [a, a + b]);
    const pairs = [...random, ...near, ...real.flatMap((a) => real.map((b) => [a, b]))];
    expect(pairs.map(([a = "", b = ""]) => `${a} ${b} ${Math.sign(compareVersions(a, b))}`)).toEqual(orderedByDpkg(pairs));
  });

  test("form a total order", () => {
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        expect(Math.sign(compareVersions(a, b))).toBe(-Math.sign(compareVersions(b, a)) + 0);
        const [first = "", second = "", third = ""] = [a, b, c].sort(compareVersions);
        expect(
          [compareVersions(first, second), compareVersions(second, third), compareVersions(first, third)].every((order) => order <= 0),
        ).toBe(true);
      }),
    );
  });

  test("what is parsed is formatted as an equal version", () => {
    fc.assert(
      fc.property(version, (text) => {
        expect(parseVersion(formatVersion(parseVersion(text)))).toEqual(parseVersion(text));
      }),
    );
  });

  test.each(["", "-1", "1-", ":1", "a:1", "1 0", "1_0", "1:", "1.0:2", "1.0-1-", "9".repeat(400)])("%j is refused", (text) => {
    expect(() => parseVersion(text)).toThrow("Debian version");
  });

  test("the newest is found, and none of none", () => {
    expect(newestVersion(["1.0", "1.0+b2", "1.0~rc1", "1.0+b1"])).toBe("1.0+b2");
    expect(newestVersion([])).toBeUndefined();
  });

  test("a binNMU is told from a version of its own", () => {
    expect(binNmuSuffix({ source: "2.10-3", binary: "2.10-3+b1" })).toBe("+b1");
    expect(binNmuSuffix({ source: "2.10-3", binary: "2.10-3" })).toBeUndefined();
    expect(binNmuSuffix({ source: "2.10-3", binary: "2.10-3+b0" })).toBeUndefined();
    expect(binNmuSuffix({ source: "1.203", binary: "4:12.2.0-3+b1" })).toBeUndefined();
  });
});

/** One shell for all pairs: dpkg compares one pair a process. */
function orderedByDpkg(pairs: readonly string[][]): string[] {
  const script =
    'while read -r a b; do if dpkg --compare-versions "$a" lt "$b"; then o=-1; elif dpkg --compare-versions "$a" gt "$b"; then o=1; else o=0; fi; echo "$a $b $o"; done';
  const { stdout } = spawnSync("sh", ["-c", script], { input: pairs.map((pair) => `${pair.join(" ")}\n`).join(""), encoding: "utf8" });
  return stdout.trimEnd().split("\n");
}
