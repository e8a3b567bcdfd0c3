import { digestOf } from "@quorate/attestation/nouns.fixture";
import { expect, it } from "vitest";
import type { ArtifactLine } from "../package-facts.ts";
import { versionStrip } from "./version-strip.ts";

const line = (version: string, outcome?: ArtifactLine["outcome"]): ArtifactLine => ({
  sha256: digestOf(`${version} ${outcome}`),
  file: `hello_${version}_all.deb`,
  package: "hello",
  source: "hello",
  architecture: "all",
  distribution: "debian",
  suite: "sid",
  verdictIndex: undefined,
  version,
  outcome,
});

it("shows versions in Debian's order, each as the worst of its artifacts", () => {
  const strip = String(
    versionStrip("hello", [
      line("1.10-1", "reproduced"),
      line("1.9-1"),
      line("1.10-1", "mismatch"),
      line("1.10~rc1-1", "failed"),
      line("a:b"),
      line("1.0-"),
    ]),
  );
  expect([...strip.matchAll(/title="([^"]+)"/g)].map(([, title]) => title)).toEqual([
    "1.0-: pending",
    "a:b: pending",
    "1.9-1: pending",
    "1.10~rc1-1: failed",
    "1.10-1: mismatch",
  ]);
});

it("shows nothing for one version", () => {
  expect(versionStrip("hello", [line("1.0-1", "reproduced"), line("1.0-1")])).toBe(false);
});
