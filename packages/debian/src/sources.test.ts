import { utf8 } from "@quorate/protocol/utf8";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseOutcome } from "../../../test/parse-outcome.ts";
import { buildRelations, formatBuildControl } from "./control.ts";
import { parseParagraph } from "./deb822.ts";
import { indexSources, parseSourceStanza } from "./sources.ts";

const stanza = `Package: hello
Binary: hello
Version: 2.10-3
Build-Depends: debhelper-compat (= 13),
 help2man,
  texinfo
Build-Conflicts-Arch: nothing
Architecture: any
Files:
 6cd0ffea3884a4e79330338dcc2987d6 725946 hello_2.10.orig.tar.gz
Checksums-Sha256:
 75296f5ef618ae2f1849e22b142a2b5ab52c452ebefa4e7b0564c44617db3790 1721 hello_2.10-3.dsc
 31e066137a962676e89f69d1b65382de95a7ef7d914b8cb956f41ea72e0f516b 725946 hello_2.10.orig.tar.gz
Package-List: 
 hello deb devel optional arch=any
Directory: pool/main/h/hello
`;

describe("Sources stanzas", () => {
  test("name the source's files by SHA-256, sorted, and their directory", () => {
    const parsed = parseSourceStanza(stanza);
    expect(parsed).toMatchObject({
      source: "hello",
      version: "2.10-3",
      architectures: ["any"],
      directory: "pool/main/h/hello",
      extraSourceOnly: false,
    });
    expect(parsed.files.map((file) => `${file.name} ${file.sizeBytes}`)).toEqual([
      "hello_2.10-3.dsc 1721",
      "hello_2.10.orig.tar.gz 725946",
    ]);
  });

  test("those kept only for Built-Using are marked", () => {
    expect(parseSourceStanza(`${stanza}Extra-Source-Only: yes\n`).extraSourceOnly).toBe(true);
  });

  test.each([
    ["without SHA-256 digests", stanza.replace("Checksums-Sha256", "Checksums-Sha1")],
    ["with a file in another directory", stanza.replace(" 1721 hello", " 1721 ../hello")],
    ["with a file twice", stanza.replace("725946 hello_2.10.orig.tar.gz\nPackage-List", "1 hello_2.10-3.dsc\nPackage-List")],
    ["with a directory that climbs", stanza.replace("pool/main", "pool/../..")],
    ["with a directory that is absolute", stanza.replace("pool/main", "/pool")],
  ])("one %s is refused", (_, given) => {
    expect(() => parseSourceStanza(given)).toThrow("parsing");
  });

  test("any alteration of a stanza is either parsed or refused as malformed", () => {
    fc.assert(
      fc.property(fc.nat(stanza.length), fc.nat(20), fc.string({ maxLength: 5 }), (at, length, put) => {
        expect(["parsed", "refused"]).toContain(
          parseOutcome(() => parseSourceStanza(stanza.slice(0, at) + put + stanza.slice(at + length))),
        );
      }),
    );
  });

  test("are found by name", () => {
    expect(indexSources(utf8(`${stanza}\n${stanza.replace("2.10-3", "2.11-1")}`)).get("hello")).toHaveLength(4);
  });
});

describe("build relations", () => {
  test("are written as a file that apt reads, each field on one line", () => {
    const paragraph = parseParagraph(formatBuildControl(parseSourceStanza(stanza)));
    expect(paragraph.get("source")).toBe("hello");
    expect(paragraph.get("build-depends")).toBe("debhelper-compat (= 13), help2man, texinfo");
    expect(paragraph.get("build-conflicts-arch")).toBe("nothing");
  });

  test("are equal text however they were folded", () => {
    const folded = buildRelations(parseSourceStanza(stanza).paragraph);
    expect(buildRelations(parseSourceStanza(stanza.replace(/,\n {1,2}/g, ", ")).paragraph)).toEqual(folded);
  });
});
