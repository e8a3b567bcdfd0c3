import { ParseError } from "@quorate/protocol/parse-error";
import fc from "fast-check";
import { expect, test } from "vitest";
import { formatAptHello, parseAptHookMessage } from "./apt-json-hook.ts";

const message = (method: string, params: object) => JSON.stringify({ jsonrpc: "2.0", method: `org.debian.apt.hooks.${method}`, params });

test("a greeting names the versions of the protocol, and is answered with one", () => {
  const hello = '{"jsonrpc":"2.0","method":"org.debian.apt.hooks.hello","id":0,"params":{"versions":["0.1","0.2"]}}';
  expect(parseAptHookMessage(hello)).toEqual({ method: "hello", id: 0, versions: ["0.1", "0.2"], packages: [] });
  expect(formatAptHello(0, "0.2")).toBe('{"jsonrpc":"2.0","id":0,"result":{"version":"0.2"}}\n\n');
});

test("packages are those of which a version would be unpacked", () => {
  const version = (text: string) => ({ id: 1, version: text, architecture: "amd64", pin: 500, origins: [] });
  const packages = [
    {
      id: 1,
      name: "hello",
      architecture: "amd64",
      mode: "upgrade",
      automatic: false,
      versions: { current: version("1"), install: version("2") },
    },
    { id: 2, name: "gone", architecture: "amd64", mode: "deinstall", automatic: true, versions: { current: version("1") } },
    { id: 3, name: "kept", architecture: "amd64", mode: "keep", automatic: true, versions: { install: version("3") } },
  ];
  const parsed = parseAptHookMessage(message("install.statistics", { command: "install", "search-terms": ["hello"], packages }));
  expect(parsed).toMatchObject({ method: "install.statistics", packages: [{ package: "hello", version: "2", architecture: "amd64" }] });
});

test.each([
  ["another protocol's method", message("hello", {}).replace("org.debian", "com.example")],
  ["a name that is no package's", message("install.statistics", { packages: [{ name: "../x", mode: "install", versions: {} }] })],
  ["what is no JSON", "{"],
])("%s is refused", (_what, text) => {
  expect(() => parseAptHookMessage(text)).toThrow(ParseError);
});

test("no text breaks the parser in another way than a ParseError", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      try {
        parseAptHookMessage(text);
      } catch (error) {
        expect(error).toBeInstanceOf(ParseError);
      }
    }),
  );
});
