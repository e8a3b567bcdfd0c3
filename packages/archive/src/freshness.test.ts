import { parseRelease } from "@quorate/debian/release";
import { describe, expect, test } from "vitest";
import { verifyFreshness } from "./freshness.ts";

const releaseOf = (validUntil?: string) =>
  parseRelease(
    [
      "Suite: stable",
      "Codename: small",
      "Date: Mon, 02 Nov 2026 12:00:00 UTC",
      ...(validUntil === undefined ? [] : [`Valid-Until: ${validUntil}`]),
      "SHA256:",
      ` ${"0".repeat(64)} 0 main/source/Sources`,
    ].join("\n"),
  );
const question = { suite: "small", allowExpired: false, now: new Date("2026-11-10T00:00:00Z") };
const past = releaseOf("Mon, 09 Nov 2026 12:00:00 UTC");

describe("a suite's signed state", () => {
  test("is taken under its codename and under its suite's name, never for another suite", () => {
    expect(verifyFreshness(releaseOf(), question)).toEqual({ expired: false });
    expect(verifyFreshness(releaseOf(), { ...question, suite: "stable" })).toEqual({ expired: false });
    expect(() => verifyFreshness(releaseOf(), { ...question, suite: "sid" })).toThrow("of another suite (suite stable, codename small)");
  });

  test("is refused past its Valid-Until, unless the configuration allows it, which is said", () => {
    expect(() => verifyFreshness(past, question)).toThrow(
      "valid until 2026-11-09T12:00:00Z; use a mirror that is up to date, or set allowExpired",
    );
    expect(verifyFreshness(past, { ...question, allowExpired: true })).toEqual({ expired: true });
    expect(verifyFreshness(past, { ...question, now: new Date("2026-11-09T12:00:00Z") })).toEqual({ expired: false });
  });

  test("is refused when it is older than one seen before, or dated in the future", () => {
    expect(() => verifyFreshness(releaseOf(), { ...question, newestDate: "2026-11-03T00:00:00Z" })).toThrow(
      "after that of 2026-11-03T00:00:00Z",
    );
    expect(verifyFreshness(releaseOf(), { ...question, newestDate: "2026-11-02T12:00:00Z" })).toEqual({ expired: false });
    expect(() => verifyFreshness(releaseOf(), { ...question, now: new Date("2026-11-02T11:00:00Z") })).toThrow("in the future");
  });
});
