import { describe, expect, test } from "vitest";
import { environmentOf, parseArchives } from "./archive-config.ts";

const minimal = { distribution: "debian", url: "http://archive.example/debian//", keyrings: ["/k.gpg"] };
const textOf = (change: object) => JSON.stringify([{ ...minimal, ...change }]);

describe("the archives file", () => {
  test("needs little, and a URL loses its trailing slashes", () => {
    expect(parseArchives(textOf({}))).toEqual([
      {
        distribution: "debian",
        url: "http://archive.example/debian",
        components: ["main"],
        architectures: ["amd64"],
        keyrings: ["/k.gpg"],
        environments: {},
        allowExpired: false,
      },
    ]);
  });

  test("a suite is its own environment unless another is given", () => {
    const [archive] = parseArchives(textOf({ environments: { "small-updates": ["small", "small-updates"] } }));
    expect(archive && environmentOf(archive, "small")).toEqual(["small"]);
    expect(archive && environmentOf(archive, "small-updates")).toEqual(["small", "small-updates"]);
  });

  test.each<[string, string, string]>([
    ["text that is not JSON", "{", "not JSON"],
    ["no archives", "[]", "archives file"],
    ["another protocol", textOf({ url: "ftp://archive.example" }), "http, https or file"],
    ["no keyrings", textOf({ keyrings: [] }), "keyrings"],
    ["an unknown setting", textOf({ keyring: "/k" }), "keyring"],
    ["a suite that climbs", textOf({ environments: { "../x": ["../x"] } }), "environments"],
    ["an environment without its suite", textOf({ environments: { a1: ["b1"] } }), "include the suite itself"],
  ])("%s is refused", (_, text, message) => {
    expect(() => parseArchives(text)).toThrow(message);
  });
});
