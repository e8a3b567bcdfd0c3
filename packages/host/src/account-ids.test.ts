import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseAccountIds } from "./account-ids.ts";

test("names have the ids of their lines; the first of two counts, and what is no account is left out", () => {
  const text = "root:x:0:0:root:/root:/bin/sh\nroot:x:5:\n+:::\n# comment\nmessagebus:x:101:\nbroken:x:\n";
  expect([...parseAccountIds(text)]).toEqual([
    ["root", 0],
    ["messagebus", 101],
  ]);
});

test("any text is read", () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(), (text, id) => {
      expect(parseAccountIds(`name:x:${id}:\n${text}`).get("name")).toBe(id);
    }),
  );
});
