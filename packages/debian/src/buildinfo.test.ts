import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseOutcome } from "../../../test/parse-outcome.ts";
import { parseBuildinfo } from "./buildinfo.ts";

const text = `Format: 1.0
Source: hello (2.10-3)
Binary: hello
Architecture: amd64
Version: 2.10-3+b1
Binary-Only-Changes:
 hello (2.10-3+b1) unstable; urgency=low, binary-only=yes
 .
   * Rebuild
Checksums-Sha256:
 2e6e2f1a0007dc43bc91c273fd36e91e40a4f1c2765a03eca68b70a42103878a 53080 hello_2.10-3+b1_amd64.deb
Build-Origin: Debian
Build-Architecture: amd64
Build-Path: /build/reproducible-path/hello-2.10
Installed-Build-Depends:
 autoconf (= 2.71-3),
 libc6:i386 (= 1:2.36-9)
Environment:
 DEB_BUILD_OPTIONS="parallel=4"
 LANG="C.UTF-8"
 QUOTED="a \\"b\\" \\\\ c"
`;

describe("buildinfo files", () => {
  test("say what came out and what it was built with", () => {
    const buildinfo = parseBuildinfo(text);
    expect(buildinfo).toMatchObject({ source: "hello", sourceVersion: "2.10-3", version: "2.10-3+b1", buildArchitecture: "amd64" });
    expect(buildinfo.files.map((file) => file.name)).toEqual(["hello_2.10-3+b1_amd64.deb"]);
    expect(buildinfo.installed).toEqual([
      { package: "autoconf", version: "2.71-3", architecture: undefined },
      { package: "libc6", version: "1:2.36-9", architecture: "i386" },
    ]);
    expect(Object.fromEntries(buildinfo.environment)).toEqual({ DEB_BUILD_OPTIONS: "parallel=4", LANG: "C.UTF-8", QUOTED: 'a "b" \\ c' });
  });

  test.each([
    ["of another format", text.replace("1.0", "2.0")],
    ["with an inexact dependency", text.replace("(= 2.71-3)", "(>= 2.71)")],
    ["with an unquoted variable", text.replace('"C.UTF-8"', "C.UTF-8")],
    ["with a file in a directory", text.replace(" 53080 ", " 53080 x/")],
    ["without a build architecture", text.replace("Build-Architecture", "X-Architecture")],
  ])("one %s is refused", (_, given) => {
    expect(() => parseBuildinfo(given)).toThrow("parsing");
  });

  test("any alteration is either parsed or refused as malformed", () => {
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(20), fc.string({ maxLength: 5 }), (at, length, put) => {
        expect(["parsed", "refused"]).toContain(parseOutcome(() => parseBuildinfo(text.slice(0, at) + put + text.slice(at + length))));
      }),
    );
  });
});
