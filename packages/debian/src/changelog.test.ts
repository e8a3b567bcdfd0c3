import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseOutcome } from "../../../test/parse-outcome.ts";
import { parseChangelogEntry, prependBinaryOnlyEntry } from "./changelog.ts";

const older = `hello (2.10-2) unstable; urgency=low

  * Older.

 -- A Person <a@example.org>  Mon, 13 May 2019 14:57:31 +0200
`;
const changelog = `hello (2.10-3) unstable experimental; urgency=medium

  [ A Person ]
  * Fix it.

  * And that.

 -- Santiago Vila <sanvila@example.org>  Mon, 26 Dec 2022 16:30:00 +0100

${older}`;
const rebuilt = `hello (2.10-3+b1) unstable; urgency=low, binary-only=yes

  * Binary-only non-maintainer upload for amd64; no source changes.
  * Rebuild

 -- amd64 Build Daemon <buildd@example.org>  Fri, 06 Jan 2023 09:00:00 +0000
`;

describe("changelogs", () => {
  test("the newest entry is read, from heading to trailer", () => {
    const entry = parseChangelogEntry(changelog);
    expect(entry).toMatchObject({ source: "hello", version: "2.10-3", binaryOnly: false, date: "2022-12-26T15:30:00Z" });
    expect(entry.distributions).toEqual(["unstable", "experimental"]);
    expect(entry.maintainer).toBe("Santiago Vila <sanvila@example.org>");
    expect(entry.text + "\n" + older).toBe(changelog);
  });

  test("empty lines may stand in front", () => {
    expect(parseChangelogEntry(`\n\n${changelog}`).text).toBe(parseChangelogEntry(changelog).text);
  });

  test("the entry of a binNMU is put in front as it stands", () => {
    expect(prependBinaryOnlyEntry(changelog, { published: `${rebuilt}\n${changelog}`, version: "2.10-3+b1" })).toBe(
      `${rebuilt}\n${changelog}`,
    );
  });

  test.each([
    ["is not binary-only", rebuilt.replace(", binary-only=yes", ""), "2.10-3+b1"],
    ["has another version", rebuilt, "2.10-3+b2"],
    ["is of another source", rebuilt.replace("hello", "other"), "2.10-3+b1"],
  ])("an entry that %s is not put in front", (_, published, version) => {
    expect(() => prependBinaryOnlyEntry(changelog, { published, version })).toThrow("binary-only entry");
  });

  test.each([
    ["without a trailer", changelog.slice(0, 60)],
    ["with a second heading before the trailer", `hello (1) unstable; urgency=low\n\n  * X\n\n${older}`],
    ["with a date that does not exist", changelog.replace("26 Dec", "36 Dec")],
    ["with no heading", "not a changelog\n"],
    ["that is empty", ""],
  ])("one %s is refused", (_, text) => {
    expect(() => parseChangelogEntry(text)).toThrow("parsing");
  });

  test("any alteration is either parsed or refused as malformed", () => {
    fc.assert(
      fc.property(fc.nat(200), fc.nat(20), fc.string({ maxLength: 5 }), (at, length, put) => {
        expect(["parsed", "refused"]).toContain(
          parseOutcome(() =>
            expect(changelog.length).toBeGreaterThan(
              parseChangelogEntry(changelog.slice(0, at) + put + changelog.slice(at + length)).version.length,
            ),
          ),
        );
      }),
    );
  });
});
