import { expect, test } from "vitest";
import { isNotModified, validatorHeaders } from "./not-modified.ts";

const lastModified = new Date("2026-11-25T18:00:00.900Z");
const state = { etag: 'W/"7-0"', lastModified };

test.each([
  [{ "if-none-match": 'W/"7-0"' }, true],
  [{ "if-none-match": '"7-0"' }, true],
  [{ "if-none-match": '"6-0", W/"7-0"' }, true],
  [{ "if-none-match": "*" }, true],
  [{ "if-none-match": '"6-0"' }, false],
  [{ "if-none-match": '"6-0"', "if-modified-since": lastModified.toUTCString() }, false],
  [{ "if-modified-since": lastModified.toUTCString() }, true],
  [{ "if-modified-since": "Wed, 25 Nov 2026 17:59:59 GMT" }, false],
  [{ "if-modified-since": "yesterday" }, false],
  [{}, false],
])("a client that sends %j has this state: %s", (headers, expected) => {
  expect(isNotModified(headers, state)).toBe(expected);
});

test("what was last modified at no known time has a tag only", () => {
  expect(validatorHeaders({ etag: '"a"' })).toEqual({ etag: '"a"' });
  expect(isNotModified({ "if-modified-since": lastModified.toUTCString() }, { etag: '"a"' })).toBe(false);
});
