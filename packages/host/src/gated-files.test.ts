import { digestOf } from "@quorate/attestation/nouns.fixture";
import { ParseError } from "@quorate/protocol/parse-error";
import { expect, test } from "vitest";
import { GatedFiles } from "./gated-files.ts";

const hello = { package: "hello", version: "1", architecture: "amd64", sha256: digestOf("1") };

test("it says which bytes a version had, and forgets the versions before", () => {
  const gated = GatedFiles.parse("").with([hello, { ...hello, package: "other" }]);
  expect(gated.find(hello)).toBe(hello.sha256);
  const upgraded = gated.with([{ ...hello, version: "2" }]);
  expect([upgraded.find(hello), upgraded.find({ ...hello, version: "2" })]).toEqual([undefined, hello.sha256]);
  expect(upgraded.find({ ...hello, package: "other" })).toBe(hello.sha256);
  expect(GatedFiles.parse(upgraded.format()).format()).toBe(upgraded.format());
});

test.each([
  ["no last newline", `hello 1 amd64 ${hello.sha256}`],
  ["no digest", "hello 1 amd64 9f86\n"],
  ["no architecture", `hello 1 ${hello.sha256}\n`],
])("%s: it is damaged", (_what, text) => {
  expect(() => GatedFiles.parse(text)).toThrow(ParseError);
});
