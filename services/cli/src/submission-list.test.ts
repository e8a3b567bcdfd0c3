import { expect, it } from "vitest";
import { parseSubmissionList } from "./submission-list.ts";

it("reads a submission a line, and no comment", () => {
  const text = "# what failed\ndebian/bookworm mailgraph\n\n  debian/trixie hello 2.10-3 amd64\r\n";
  expect(parseSubmissionList(text, "list")).toEqual([
    { distribution: "debian", suite: "bookworm", source: "mailgraph" },
    { distribution: "debian", suite: "trixie", source: "hello", version: "2.10-3", architecture: "amd64" },
  ]);
});

it("takes what is there twice once", () => {
  const text = "debian/bookworm hello\ndebian/trixie hello\n  debian/bookworm  hello\n";
  expect(parseSubmissionList(text, "list").map(({ suite }) => suite)).toEqual(["bookworm", "trixie"]);
});

it.each([
  ["a package alone", "debian/bookworm a1\nmailgraph\n", /line 2 of list: it is not DISTRIBUTION\/SUITE PACKAGE/],
  ["a word too many", "debian/bookworm hello 1 all now", /line 1 of list: it is not DISTRIBUTION/],
  ["a wrong version", "debian/bookworm hello ../1", /line 1 of list: submitting debian\/bookworm hello: version must be/],
  ["nothing", "# nothing\n", /it names nothing to submit/],
  ["too many lines", "\n".repeat(200_001), /more than 200000 lines/],
])("refuses %s, and says where it is", (_name, text, message) => {
  expect(() => parseSubmissionList(text, "list")).toThrow(message);
});
