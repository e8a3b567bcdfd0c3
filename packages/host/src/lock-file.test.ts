import { digestOf } from "@quorate/attestation/nouns.fixture";
import { ParseError } from "@quorate/protocol/parse-error";
import { expect, test } from "vitest";
import { parseLockFile } from "./lock-file.ts";

const sha256 = digestOf("hello");
const hello = { package: "hello", version: "1:2.10-3", architecture: "amd64", sha256 };

test("what sha256sum writes and what a rebuild ran with name the same packages", () => {
  expect(parseLockFile(`${sha256}  ./pool/hello_1%3a2.10-3_amd64.deb\n`)).toEqual([hello]);
  expect(parseLockFile(JSON.stringify({ environment: digestOf("pin"), packages: [hello] }))).toEqual([hello]);
});

test.each([
  ["that is empty", ""],
  ["with a line that names no package", `${sha256}  hello.tar\n`],
  ["with a digest that is none", "9f86  hello_1_amd64.deb\n"],
  ["that is JSON of another kind", '{"packages":[{"package":"hello"}]}'],
])("one %s is refused", (_what, text) => {
  expect(() => parseLockFile(text)).toThrow(ParseError);
});
