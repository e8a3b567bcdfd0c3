import { linesOf, parseParagraph } from "@quorate/debian/deb822";
import { parseSourceStanza } from "@quorate/debian/sources";
import { expect, test } from "vitest";
import { formatSourceDescription } from "./source-files.ts";

const digest = (digit: string) => digit.repeat(64);
const stanza = parseSourceStanza(
  [
    "Package: hello",
    "Format: 3.0 (quilt)",
    "Binary: hello, hello-doc",
    "Architecture: any all",
    "Version: 2.10-3",
    "Priority: optional",
    "Section: misc",
    "Build-Depends: debhelper-compat (= 13),",
    " texinfo",
    "Directory: pool/main/h/hello",
    "Files:",
    ` ${"a".repeat(32)} 10 hello_2.10-3.dsc`,
    ` ${"b".repeat(32)} 20 hello_2.10.orig.tar.gz`,
    "Checksums-Sha256:",
    ` ${digest("1")} 10 hello_2.10-3.dsc`,
    ` ${digest("2")} 20 hello_2.10.orig.tar.gz`,
  ].join("\n"),
);

test("a .dsc made from the index names the archive's files, and not itself", () => {
  const paragraph = parseParagraph(formatSourceDescription(stanza));
  expect(paragraph.get("source")).toBe("hello");
  expect(paragraph.get("format")).toBe("3.0 (quilt)");
  expect(linesOf(paragraph, "Checksums-Sha256")).toEqual([`${digest("2")} 20 hello_2.10.orig.tar.gz`]);
  expect(linesOf(paragraph, "Files")).toEqual([`${"b".repeat(32)} 20 hello_2.10.orig.tar.gz`]);
});

test("a .dsc made from the index has no field that only indices have", () => {
  const paragraph = parseParagraph(formatSourceDescription(stanza));
  for (const name of ["package", "directory", "priority", "section"]) expect(paragraph.has(name)).toBe(false);
});
