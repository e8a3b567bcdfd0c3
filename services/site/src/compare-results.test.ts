import { formatTrace } from "@quorate/attestation/build-trace";
import { formatManifest, type ManifestMember } from "@quorate/attestation/manifest";
import { digestOf, sampleBuilt, sampleFailed } from "@quorate/attestation/nouns.fixture";
import { type Sha256, sha256Of } from "@quorate/protocol/digest";
import type { Byproduct, Result } from "@quorate/protocol/result";
import { utf8 } from "@quorate/protocol/utf8";
import { describe, expect, it } from "vitest";
import { compareResults } from "./compare-results.ts";

const [artifact] = sampleBuilt.artifacts;
const file = artifact?.name ?? "";
const blobs = new Map<Sha256, Uint8Array>();
const loadBlob = async (sha256: Sha256) => {
  const bytes = blobs.get(sha256);
  if (bytes === undefined) throw new Error("its owner has not uploaded it");
  return bytes;
};

function kept(kind: Byproduct["kind"], name: string, text: string): Byproduct {
  const bytes = utf8(text);
  const sha256 = sha256Of(bytes);
  blobs.set(sha256, bytes);
  return { kind, name, sizeBytes: bytes.length, sha256, mediaType: "text/plain" };
}

const member: ManifestMember = {
  part: "data",
  path: "usr/bin/x",
  kind: "file",
  mode: 0o755,
  owner: "root",
  group: "root",
  sizeBytes: 3,
  sha256: digestOf("x"),
  conffile: false,
};

/** A result whose parts are named by what they are made of. */
function resultOf({ built, libc, object }: { built: string; libc: string; object: string }): Result {
  const packages = [
    { package: "libc6", version: libc, architecture: "amd64", sha256: digestOf(libc) },
    { package: "make", version: "4.3", architecture: "amd64", sha256: digestOf("make") },
  ];
  return {
    ...sampleBuilt,
    artifacts: [{ name: file, sizeBytes: 1, sha256: digestOf(built) }],
    byproducts: [
      kept("environment-lock", "environment.json", JSON.stringify({ environment: digestOf("pin"), packages })),
      kept("build-trace", "build.trace", formatTrace([{ path: "main.o", sizeBytes: 1, sha256: digestOf(object) }])),
      kept("manifest", file, formatManifest([{ ...member, sha256: digestOf(built) }])),
    ],
  };
}

describe("comparing two results", () => {
  const one = resultOf({ built: "a", libc: "2.36", object: "o" });

  it("finds no difference between equal results, and counts what was compared", async () => {
    const comparison = await compareResults(one, one, loadBlob);
    expect(comparison).toEqual({
      circumstances: { kind: "compared", count: 5 + Object.keys(sampleBuilt.builderVersion).length, differences: [] },
      artifacts: { kind: "compared", count: 1, differences: [] },
      environment: { kind: "compared", count: 2, differences: [] },
      trace: { kind: "compared", count: 1, differences: [] },
      manifests: new Map(),
    });
  });

  it("names the circumstance, the package, the intermediate file and the member that differ", async () => {
    const other: Result = { ...resultOf({ built: "b", libc: "2.37", object: "p" }), sandboxProfile: "another" };
    const comparison = await compareResults(one, other, loadBlob);
    const names = (of: (typeof comparison)["trace"] | undefined) => (of?.kind === "compared" ? of.differences.map(({ name }) => name) : of);
    expect(names(comparison.circumstances)).toEqual(["sandbox"]);
    expect(names(comparison.artifacts)).toEqual([file]);
    expect(names(comparison.environment)).toEqual(["libc6:amd64"]);
    expect(names(comparison.trace)).toEqual(["main.o"]);
    expect(names(comparison.manifests.get(file))).toEqual(["data/usr/bin/x"]);
  });

  it("says what cannot be compared, and why: what is not kept, not to be had, or not what it should be", async () => {
    expect((await compareResults(one, sampleFailed, loadBlob)).trace).toMatchObject({
      kind: "unavailable",
      reason: "one of the results names none",
    });
    blobs.delete(one.byproducts[0]?.sha256 ?? digestOf(""));
    const spoilt = { ...one, byproducts: one.byproducts.map((byproduct) => ({ ...byproduct, sha256: sha256Of(utf8("<script>")) })) };
    blobs.set(sha256Of(utf8("<script>")), utf8("<script>"));
    const comparison = await compareResults(one, spoilt, loadBlob);
    expect(comparison.environment).toMatchObject({ kind: "unavailable", reason: "its owner has not uploaded it" });
    expect(comparison.trace.kind).toBe("unavailable");
  });
});
