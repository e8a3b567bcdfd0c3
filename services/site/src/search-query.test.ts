import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseSearchQuery } from "./search-query.ts";

const sha256 = "ab".repeat(32);

const anyText = fc.array(fc.integer({ min: 0, max: 0x10_ffff })).map((points) => String.fromCodePoint(...points));

describe("what is asked for in the search box", () => {
  it.each([
    ["  ", { kind: "empty" }],
    [sha256, { kind: "digest", sha256 }],
    [`sha256:${sha256.toUpperCase()}`, { kind: "digest", sha256 }],
    ["cd".repeat(16), { kind: "operator", operator: "cd".repeat(16) }],
    ["1234", { kind: "entry", index: 1234 }],
    ["mailgraph", { kind: "package", name: "mailgraph" }],
    ["Mailgraph = 1.14-20", { kind: "package", name: "mailgraph", version: "1.14-20" }],
    ["mailgraph_1.14-20", { kind: "package", name: "mailgraph", version: "1.14-20" }],
    ["mailgraph_1.14-20_all.deb", { kind: "file", file: "mailgraph_1.14-20_all.deb", name: "mailgraph" }],
    ["pkg:deb/debian/mailgraph@1.14-20?arch=all", { kind: "package", name: "mailgraph", version: "1.14-20" }],
    ["pkg:deb/debian/libstdc%2B%2B6", { kind: "package", name: "libstdc++6" }],
    ["<script>alert(1)</script>", { kind: "unknown" }],
    ["mailgraph=\u202e1", { kind: "unknown" }],
    ["x".repeat(401), { kind: "unknown" }],
  ])("reads %j", (text, query) => {
    expect(parseSearchQuery(text)).toMatchObject(query);
  });

  it("reads any text, and never as a name that no package can have", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), anyText), (text) => {
        const query = parseSearchQuery(text);
        expect(query.kind === "package" ? query.name : "none").toMatch(/^[a-z0-9][a-z0-9+.-]+$/);
      }),
    );
  });
});
