import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatParagraph } from "./deb822.ts";
import { parseDpkgStatus } from "./dpkg-status.ts";

const stanza = (name: string, status: string, more: [string, string][] = []) =>
  formatParagraph([["Package", name], ["Status", status], ["Architecture", "amd64"], ["Version", "1.0-1"], ...more]);

describe("the dpkg database", () => {
  test("lists what is on the disk, by name, with its source", () => {
    const text = [
      stanza("zlib1g", "install ok installed", [["Source", "zlib (1:1.2)"]]),
      stanza("gone", "deinstall ok config-files"),
      stanza("held", "hold ok installed", [["Conffiles", "\n/etc/held.conf 0123\n/etc/held.d/x 4567 obsolete"]]),
      stanza("half", "install reinstreq half-installed"),
      stanza("pending", "install ok triggers-pending"),
    ].join("\n");
    expect(parseDpkgStatus(text).map((installed) => `${installed.package} ${installed.source.source} ${installed.source.version}`)).toEqual(
      ["held held 1.0-1", "pending pending 1.0-1", "zlib1g zlib 1:1.2"],
    );
  });

  test.each([
    ["without a status", "Package: a\nVersion: 1\nArchitecture: all\n"],
    ["with a status of two words", "Package: a\nStatus: ok installed\nVersion: 1\nArchitecture: all\n"],
    ["without a version", "Package: ab\nStatus: install ok installed\nArchitecture: all\n"],
    ["with a malformed architecture", "Package: ab\nStatus: install ok installed\nVersion: 1\nArchitecture: a b\n"],
  ])("a stanza %s is refused", (_, text) => {
    expect(() => parseDpkgStatus(text)).toThrow("parsing");
  });

  test("the order of the stanzas does not matter", () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9]{1,8}$/), { maxLength: 10 });
    fc.assert(
      fc.property(names, (given) => {
        const textOf = (list: readonly string[]) => list.map((name) => stanza(name, "install ok installed")).join("\n");
        expect(parseDpkgStatus(textOf(given))).toEqual(parseDpkgStatus(textOf(given.toReversed())));
      }),
    );
  });
});
