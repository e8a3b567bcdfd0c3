import { expect, it } from "vitest";
import { parseSubmission } from "./submit.ts";

it("reads DISTRIBUTION/SUITE, a package, and what narrows it down", () => {
  expect(parseSubmission("debian/bookworm", "mailgraph", { version: "1.14-19", arch: "all" })).toEqual({
    distribution: "debian",
    suite: "bookworm",
    source: "mailgraph",
    version: "1.14-19",
    architecture: "all",
  });
  expect(parseSubmission("debian/bookworm-updates", "g++", {})).toEqual({
    distribution: "debian",
    suite: "bookworm-updates",
    source: "g++",
  });
});

it.each([
  ["bookworm", "mailgraph", {}, /"bookworm" is not DISTRIBUTION\/SUITE, such as debian\/bookworm/],
  ["debian/bookworm/main", "mailgraph", {}, /is not DISTRIBUTION\/SUITE/],
  ["debian/", "mailgraph", {}, /suite must be a suite name/],
  ["debian/bookworm", "Mail Graph", {}, /source must be a Debian package name/],
  ["debian/bookworm", "mailgraph", { version: "../1" }, /version must be a Debian version/],
  ["debian/bookworm", "mailgraph", { arch: "AMD64" }, /architecture must be a Debian architecture/],
])("refuses %s %s %o and says what is wrong", (suite, source, options, message) => {
  expect(() => parseSubmission(suite, source, options)).toThrow(message);
});
