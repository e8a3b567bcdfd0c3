import { parsePackageStanza } from "@quorate/debian/packages";
import { parseSourceStanza } from "@quorate/debian/sources";
import { sha256Of } from "@quorate/protocol/digest";
import type { SubmissionRequest } from "@quorate/protocol/submission";
import type { EnvironmentPin } from "@quorate/protocol/target";
import { utf8 } from "@quorate/protocol/utf8";
import { describe, expect, test } from "vitest";
import { planTargets, type SourceFacts } from "./plan-targets.ts";

const digest = sha256Of(utf8("x"));
const pinFor = (machine: string): EnvironmentPin => ({
  kind: "suite",
  suites: [
    { suite: "small", inReleaseSha256: digest, indices: [{ path: `main/binary-${machine}/Packages`, sizeBytes: 1, sha256: digest }] },
  ],
  expiredAllowed: false,
});
const sourceStanza = (version: string, more = "") =>
  parseSourceStanza(
    `Package: hello\nVersion: ${version}\nArchitecture: any all\nDirectory: pool/h\nChecksums-Sha256:\n ${digest} 1 hello_${version}.dsc\n${more}`,
  );
type Binary = { name?: string; version: string; architecture?: string; sourceVersion?: string; file?: string };
const binaryStanza = ({ name = "hello", version, architecture = "amd64", sourceVersion, file }: Binary) =>
  parsePackageStanza(
    [
      `Package: ${name}\nVersion: ${version}\nArchitecture: ${architecture}`,
      `Source: hello${sourceVersion === undefined ? "" : ` (${sourceVersion})`}`,
      `Filename: pool/h/${file ?? `${name}_${version}_${architecture}.deb`}\nSize: 1\nSHA256: ${digest}\n`,
    ].join("\n"),
  );
const factsOf = (sources: SourceFacts["sources"][number]["stanza"][], packages: Record<string, Binary[]>): SourceFacts => ({
  sources: sources.map((stanza) => ({ component: "main", stanza })),
  packages: new Map(Object.entries(packages).map(([machine, binaries]) => [machine, binaries.map(binaryStanza)])),
  environments: new Map(Object.keys(packages).map((machine) => [machine, pinFor(machine)])),
});
const request: SubmissionRequest = { distribution: "debian", suite: "small", source: "hello" };

/** `architecture version[binNmu]: files` of each target, or the refusal. */
const planOf = (facts: SourceFacts, change: Partial<SubmissionRequest> = {}) => {
  const plan = planTargets({ ...request, ...change }, facts);
  if (plan.kind === "refused") return plan.refusal;
  return plan.targets.map(
    (target) => `${target.architecture} ${target.version}${target.binNmu ?? ""}: ${target.artifacts.map(({ file }) => file).join(" ")}`,
  );
};

describe("planning targets", () => {
  test("a source is one target for each architecture and one for all, whatever the number of machines", () => {
    const doc = { name: "hello-doc", version: "1.0", architecture: "all" };
    const facts = factsOf([sourceStanza("1.0")], {
      amd64: [{ version: "1.0" }, doc],
      arm64: [{ version: "1.0", architecture: "arm64" }, doc],
    });
    expect(planOf(facts)).toEqual(["amd64 1.0: hello_1.0_amd64.deb", "all 1.0: hello-doc_1.0_all.deb", "arm64 1.0: hello_1.0_arm64.deb"]);
    expect(planOf(facts, { architecture: "all" })).toEqual(["all 1.0: hello-doc_1.0_all.deb"]);
  });

  test("the newest version is taken in Debian's order, unless another is asked for", () => {
    const facts = factsOf([sourceStanza("1.9"), sourceStanza("1.10"), sourceStanza("1.10~rc1")], {
      amd64: [{ version: "1.9" }, { version: "1.10" }],
    });
    expect(planOf(facts)).toEqual(["amd64 1.10: hello_1.10_amd64.deb"]);
    expect(planOf(facts, { version: "1.9" })).toEqual(["amd64 1.9: hello_1.9_amd64.deb"]);
    expect(planOf(facts, { version: "2.0" })).toEqual({
      kind: "unknown-version",
      source: "hello",
      version: "2.0",
      known: ["1.10", "1.10~rc1", "1.9"],
    });
  });

  test("a version that is kept only for another package's sake is not the newest", () => {
    const facts = factsOf([sourceStanza("1.0"), sourceStanza("2.0", "Extra-Source-Only: yes\n")], { amd64: [{ version: "1.0" }] });
    expect(planOf(facts)).toEqual(["amd64 1.0: hello_1.0_amd64.deb"]);
  });

  test("a binNMU is told by the binaries' version, and only its own build's binaries are expected", () => {
    const facts = factsOf([sourceStanza("1.0-1")], {
      amd64: [
        { version: "1.0-1+b2", sourceVersion: "1.0-1" },
        { name: "hello-old", version: "1.0-1+b1", sourceVersion: "1.0-1" },
        { name: "hello-older", version: "1.0-1" },
        { name: "libhello", version: "5:3.1", sourceVersion: "1.0-1" },
        { name: "hello-doc", version: "1.0-1", architecture: "all" },
      ],
    });
    expect(planOf(facts)).toEqual([
      "amd64 1.0-1+b2: hello_1.0-1+b2_amd64.deb libhello_5:3.1_amd64.deb",
      "all 1.0-1: hello-doc_1.0-1_all.deb",
    ]);
  });

  test("only .deb files are artifacts", () => {
    const udeb = { name: "hello-udeb", version: "1.0", file: "hello-udeb_1.0_amd64.udeb" };
    expect(planOf(factsOf([sourceStanza("1.0")], { amd64: [{ version: "1.0" }, udeb] }))).toEqual(["amd64 1.0: hello_1.0_amd64.deb"]);
    expect(planOf(factsOf([sourceStanza("1.0")], { amd64: [udeb] }))).toMatchObject({ kind: "nothing-to-compare" });
  });

  test("a source without binaries is refused with the versions that have some", () => {
    const facts = factsOf([sourceStanza("1.1")], { amd64: [{ version: "1.0" }] });
    expect(planOf(facts)).toEqual({ kind: "nothing-to-compare", source: "hello", suite: "small", version: "1.1", known: ["1.0"] });
  });

  test("an architecture that the source does not build for is refused with those that it does", () => {
    const facts = factsOf([sourceStanza("1.0")], { amd64: [{ version: "1.0" }] });
    expect(planOf(facts, { architecture: "all" })).toEqual({ kind: "unknown-architecture", architecture: "all", known: ["amd64"] });
  });

  test("a source with more files or packages than can be logged is refused", () => {
    const binaries = Array.from({ length: 2001 }, (_, i) => ({ name: `hello-${i}`, version: "1.0" }));
    const facts = factsOf([sourceStanza("1.0")], { amd64: binaries });
    expect(planOf(facts)).toEqual({ kind: "too-large", source: "hello", version: "1.0", files: 1, artifacts: 2001 });
    const parts = Array.from({ length: 201 }, (_, i) => ` ${digest} 1 part-${i}\n`).join("");
    const manyFiles = factsOf([sourceStanza("1.0", parts)], { amd64: [{ version: "1.0" }] });
    expect(planOf(manyFiles)).toMatchObject({ kind: "too-large", files: 202 });
  });
});
