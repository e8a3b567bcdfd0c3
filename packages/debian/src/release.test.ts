import { parseSha256 } from "@quorate/protocol/digest";
import { formatTime } from "@quorate/protocol/names";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseArchiveDate } from "./archive-date.ts";
import { formatListedFile, parseListedFile } from "./file-list.ts";
import { parseRelease } from "./release.ts";

const digest = "92d75d23e1757f7a0a21ccb8612cd8a63c64d4020241a31b234b2a2be9653844";
const text = [
  "Origin: Debian",
  "Suite: oldstable",
  "Codename: bookworm",
  "Date: Sat, 11 Jul 2026 10:16:37 UTC",
  "Acquire-By-Hash: yes",
  "No-Support-for-Architecture-all: Packages",
  "Architectures: all amd64 arm64",
  "Components: main contrib",
  "MD5Sum:",
  " 9de2ebf49f09705996b7fb88d05ce061 50724597 main/source/Sources",
  "SHA256:",
  ` ${digest} 50724597 main/source/Sources`,
  "",
].join("\n");

describe("Release files", () => {
  test("say what the suite has, and list files by SHA-256", () => {
    const release = parseRelease(text);
    expect(release).toMatchObject({ suite: "oldstable", codename: "bookworm", date: "2026-07-11T10:16:37Z", validUntil: undefined });
    expect(release).toMatchObject({ acquireByHash: true, separateArchitectureAll: false, architectures: ["all", "amd64", "arm64"] });
    expect(release.files.get("main/source/Sources")).toEqual({ sha256: digest, sizeBytes: 50724597, path: "main/source/Sources" });
  });

  test("packages of architecture all stand apart where the archive does not say otherwise", () => {
    expect(parseRelease(text.replace(/^No-Support.*\n/m, "")).separateArchitectureAll).toBe(true);
  });

  test.each([
    ["without a date", text.replace(/^Date.*\n/m, "")],
    ["without SHA-256", text.slice(0, text.indexOf("SHA256:"))],
    ["with a path twice", `${text} ${digest} 1 main/source/Sources\n`],
    ["with a path that climbs", `${text} ${digest} 1 ../../etc/passwd\n`],
    ["with an absolute path", `${text} ${digest} 1 /etc/passwd\n`],
    ["with a second paragraph", `${text}\nSuite: other\n`],
  ])("one %s is refused", (_, given) => {
    expect(() => parseRelease(given)).toThrow("parsing");
  });
});

describe("lists of files", () => {
  const file = fc.record({
    sha256: fc.stringMatching(/^[0-9a-f]{64}$/).map(parseSha256),
    sizeBytes: fc.nat(),
    path: fc.stringMatching(/^[a-z0-9+~._/-]{1,40}$/),
  });

  test("a line that is formatted is parsed back as it was", () => {
    fc.assert(
      fc.property(file, (given) => {
        expect(parseListedFile(formatListedFile(given))).toEqual(given);
      }),
    );
  });

  test.each([
    `${digest.toUpperCase()} 1 a`,
    `${digest} 01 a`,
    `${digest} -1 a`,
    `${digest} 1`,
    `${digest.slice(1)} 1 a`,
    `${digest} 99999999999999999 a`,
  ])("%j is refused", (line) => {
    expect(() => parseListedFile(line)).toThrow("checksum line");
  });
});

describe("dates", () => {
  test("are parsed as they are written by an archive", () => {
    const time = fc.date({ min: new Date("1990-01-01"), max: new Date("2100-01-01"), noInvalidDate: true });
    fc.assert(
      fc.property(time, (given) => {
        expect(parseArchiveDate(given.toUTCString())).toBe(formatTime(given));
      }),
    );
  });

  test("offsets are taken to UTC", () => {
    expect(parseArchiveDate("Mon, 26 Dec 2022 16:30:00 +0100")).toBe("2022-12-26T15:30:00Z");
    expect(parseArchiveDate("Sat,  1 Jan 2022 00:30:00 -0330")).toBe("2022-01-01T04:00:00Z");
  });

  test.each([
    "",
    "yesterday",
    "Sat, 31 Feb 2026 10:16:37 UTC",
    "Sat, 11 Jul 2026 25:16:37 UTC",
    "Sat, 11 Jxx 2026 10:16:37 UTC",
    "2026-07-11T10:16:37Z",
  ])("%j is refused", (given) => {
    expect(() => parseArchiveDate(given)).toThrow("date");
  });
});
