import { describe, expect, test } from "vitest";
import { deriveHostArchives, parseIndexTargets, parseSignedBy } from "./host-archive.ts";

const target = `MetaKey: main/binary-amd64/Packages
Description: archive small/main amd64 Packages
Created-By: Packages
Codename: small
Origin: Small
Architecture: amd64
Component: main
Release: small
Repo-URI: http://archive.example/small/
Sourcesentry: /etc/apt/sources.list.d/small.sources:2
`;

describe("this host's archives", () => {
  test("are read from apt's list of index targets", () => {
    const translations = target.replace("Created-By: Packages", "Created-By: Translations");
    const cdrom = target.replace("http:", "cdrom:");
    expect(parseIndexTargets(`${target}\n${translations}\n${cdrom}`)).toEqual([
      {
        url: "http://archive.example/small/",
        release: "small",
        codename: "small",
        origin: "Small",
        component: "main",
        architecture: "amd64",
        entry: "/etc/apt/sources.list.d/small.sources:2",
      },
    ]);
  });

  test("keys are those of the entry, whatever the style of the sources file", () => {
    const deb822 = "Types: deb\nSigned-By: /a.gpg\n\n# second\nTypes: deb\nSigned-By: /b.gpg\n /c.asc\n";
    expect(parseSignedBy(deb822, { deb822: true, number: 2 })).toEqual(["/b.gpg", "/c.asc"]);
    expect(parseSignedBy(deb822, { deb822: true, number: 3 })).toEqual([]);
    const lines = "# comment\ndeb [arch=amd64 signed-by=/a.gpg,/b.gpg] http://x small main\ndeb http://y small main\n";
    expect(parseSignedBy(lines, { deb822: false, number: 2 })).toEqual(["/a.gpg", "/b.gpg"]);
    expect(parseSignedBy(lines, { deb822: false, number: 3 })).toEqual([]);
  });

  test("keys that are not files are left out", () => {
    const embedded =
      "Types: deb\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n /mDMEYCQjIxYJKwYBBAHaRw8BAQdAD/P5Nvvnvk66SxBBHDbhRml9ORg1WV5CvzKY=\n";
    expect(parseSignedBy(embedded, { deb822: true, number: 1 })).toEqual([]);
  });

  test("give at least one with its suites, on a Debian host", async () => {
    const [archive] = await deriveHostArchives();
    expect(archive?.url).toMatch(/^(https?|file):.*[^/]$/);
    expect(Object.keys(archive?.environments ?? {}).length).toBeGreaterThan(0);
    expect(archive?.keyrings.length).toBeGreaterThan(0);
  });
});
