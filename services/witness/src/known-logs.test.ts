import { ParseError } from "@quorate/protocol/parse-error";
import { formatVkey, noteKeyOf } from "@quorate/tlog/note";
import { expect, test } from "vitest";
import { parseKnownLogs } from "./known-logs.ts";

const key = (fill: number, algorithm: "ed25519" | "cosignature" = "ed25519") =>
  noteKeyOf({ name: "log.example", algorithm, publicKey: new Uint8Array(32).fill(fill) });

test("trusts every key of an origin", () => {
  const logs = parseKnownLogs(`# ours\nlog ${formatVkey(key(1))}\n\n  log   ${formatVkey(key(2))}\n`);
  expect(logs.get("log.example")).toEqual([key(1), key(2)]);
});

test.each([
  ["no log", ""],
  ["another keyword", `witness ${formatVkey(key(1))}`],
  ["more than a key", `log ${formatVkey(key(1))} http://x`],
  ["a cosignature key", `log ${formatVkey(key(1, "cosignature"))}`],
  ["no key", "log"],
])("refuses a file with %s", (_what, text) => {
  expect(() => parseKnownLogs(text)).toThrow(ParseError);
});
