import { expect, test } from "vitest";
import { acceptsGzip } from "./accepts-gzip.ts";

test.each([
  ["gzip", true],
  ["gzip, identity", true],
  ["br;q=1.0, GZIP ; q=0.5", true],
  ["x-gzip", true],
  ["*", true],
  ["*, gzip;q=0", false],
  ["gzip;q=0.000", false],
  ["gzip;q=much", false],
  ["identity", false],
  ["br, zstd", false],
  ["", false],
  [undefined, false],
])("a client that sends Accept-Encoding: %s is given gzip: %s", (header, expected) => {
  expect(acceptsGzip(header)).toBe(expected);
});
