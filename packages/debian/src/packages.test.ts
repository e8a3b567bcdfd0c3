import { utf8 } from "@quorate/protocol/utf8";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseOutcome } from "../../../test/parse-outcome.ts";
import { indexPackagesByName, indexPackagesBySource, parsePackageStanza, parseSourceReference } from "./packages.ts";

const stanza = `Package: libc6
Source: glibc (2.36-9)
Version: 2.36-9+b1
Architecture: amd64
Depends: libgcc-s1,
 libcrypt1 (>= 1:4.4.10-10~)
Filename: pool/main/g/glibc/libc6_2.36-9+b1_amd64.deb
Size: 2754000
SHA256: 2e6e2f1a0007dc43bc91c273fd36e91e40a4f1c2765a03eca68b70a42103878a
`;

describe("Packages stanzas", () => {
  test("name the file, its digest and the source it was built from", () => {
    expect(parsePackageStanza(stanza)).toMatchObject({
      package: "libc6",
      version: "2.36-9+b1",
      source: { source: "glibc", version: "2.36-9" },
      path: "pool/main/g/glibc/libc6_2.36-9+b1_amd64.deb",
      sizeBytes: 2754000,
    });
  });

  test.each([
    ["path that climbs", /pool\/main/, "../main"],
    ["short digest", /SHA256: ../, "SHA256: "],
    ["size that is no number", /Size: \d+/, "Size: many"],
    ["version with white space", /Version: /, "Version: 1 "],
    ["name in capitals", /libc6/, "LIBC6"],
    ["malformed source", /glibc \(/, "glibc ("],
    ["missing file name", /Filename.*\n/, ""],
  ])("one with a %s is refused", (what, pattern, replacement) => {
    const given = what === "malformed source" ? stanza.replace("glibc (2.36-9)", "glibc 2.36-9") : stanza.replace(pattern, replacement);
    expect(() => parsePackageStanza(given)).toThrow("parsing");
  });

  test("the source is the package itself unless the field says otherwise", () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9+.-]{1,20}$/);
    const version = fc.stringMatching(/^[0-9][0-9a-z.+~-]{0,20}$/);
    fc.assert(
      fc.property(name, version, name, version, (source, sourceVersion, binary, binaryVersion) => {
        const own = { package: binary, version: binaryVersion };
        expect(parseSourceReference(undefined, own)).toEqual({ source: binary, version: binaryVersion });
        expect(parseSourceReference(source, own)).toEqual({ source, version: binaryVersion });
        expect(parseSourceReference(`${source} (${sourceVersion})`, own)).toEqual({ source, version: sourceVersion });
      }),
    );
  });

  test("are found by their source and by their own name", () => {
    const bytes = utf8(`${stanza}\nPackage: hello\nVersion: 1\n`);
    expect([...indexPackagesBySource(bytes).keys()]).toEqual(["glibc", "hello"]);
    expect([...indexPackagesByName(bytes).keys()]).toEqual(["libc6", "hello"]);
  });

  test("any alteration of a stanza is either parsed or refused as malformed", () => {
    fc.assert(
      fc.property(fc.nat(stanza.length), fc.nat(20), fc.string({ maxLength: 5 }), (at, length, put) => {
        expect(["parsed", "refused"]).toContain(
          parseOutcome(() => parsePackageStanza(stanza.slice(0, at) + put + stanza.slice(at + length))),
        );
      }),
    );
  });
});
