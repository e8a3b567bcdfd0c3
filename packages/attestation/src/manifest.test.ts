import { ParseError } from "@quorate/protocol/parse-error";
import { describe, expect, test } from "vitest";
import { type ManifestMember, formatManifest, parseManifest } from "./manifest.ts";
import { digestOf } from "./nouns.fixture.ts";

const root = { owner: "root", group: "root", conffile: false } as const;
const members: ManifestMember[] = [
  { ...root, part: "data", path: ".", kind: "directory", mode: 0o755, sizeBytes: 0 },
  { ...root, part: "data", path: "usr/bin/sudo", kind: "file", mode: 0o4755, sizeBytes: 4, sha256: digestOf("sudo") },
  { ...root, part: "data", path: "usr/share/a b", kind: "symlink", mode: 0o777, sizeBytes: 0, linkTarget: "-" },
  { ...root, part: "data", path: "-", kind: "file", mode: 0o644, sizeBytes: 1, sha256: digestOf("-"), owner: "a:b" },
  { ...root, part: "data", path: "etc/mailgraph.conf", kind: "file", mode: 0o644, sizeBytes: 4, sha256: digestOf("conf"), conffile: true },
  { ...root, part: "control", path: "control", kind: "file", mode: 0o644, sizeBytes: 120, sha256: digestOf("control") },
];

describe("manifests", () => {
  test("a manifest survives formatting and parsing, in an order of its own", () => {
    const text = formatManifest(members);
    expect(formatManifest(members.toReversed())).toBe(text);
    expect(new Set(parseManifest(text))).toEqual(new Set(members));
    expect(text.split("\n").slice(0, 3)).toEqual([
      "quorate manifest v1",
      `control ${digestOf("control")} file 0644 120 root:root - control -`,
      `data ${digestOf("-")} file 0644 1 a%3Ab:root - %2D -`,
    ]);
  });

  test.each([
    ["no header", (text: string) => text.replace("quorate manifest v1\n", "")],
    ["lines out of order", (text: string) => text.replace(/(control .*\n)([^]*)$/, "$2$1")],
    ["a line twice", (text: string) => text.replace(/(control .*\n)/, "$1$1")],
    ["a size with a leading zero", (text: string) => text.replace(" 120 ", " 0120 ")],
    ["an unknown kind", (text: string) => text.replace(" directory ", " door ")],
    ["a missing newline at the end", (text: string) => text.trimEnd()],
    ["a line whose path is no escape", (text: string) => text.replace(" %2D ", " - ")],
    ["a path that needs no escape", (text: string) => text.replace("usr/bin/sudo", "usr/bin/sud%6F")],
    ["an owner that is none", (text: string) => text.replace(" a%3Ab:", " -:")],
    [
      "two members of one path",
      (text: string) => text.replace(/(data .* usr\/bin\/sudo -\n)/, (line) => line + line.replace(" 4 ", " 5 ")),
    ],
    ["a short mode", (text: string) => text.replace(" 0644 ", " 644 ")],
  ])("%s is refused", (_, change) => {
    const text = formatManifest(members);
    expect(change(text)).not.toBe(text);
    expect(() => parseManifest(change(text))).toThrow(ParseError);
  });
});
