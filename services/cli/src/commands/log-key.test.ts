import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadNoteKey } from "@quorate/signing/note-key";
import { formatVkey } from "@quorate/tlog/note";
import { afterEach, beforeEach, expect, test } from "vitest";
import { recordingContext } from "../recording-terminal.fixture.ts";
import { type LogKeyOptions, runLogKey } from "./log-key.ts";

let directory = "";
let file = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "quorate-log-key-"));
  file = join(directory, "key");
});
afterEach(() => rmSync(directory, { recursive: true }));

test.each<[LogKeyOptions["for"], string]>([
  [undefined, "ed25519"],
  ["log", "ed25519"],
  ["witness", "cosignature"],
  ["second-signature", "ml-dsa-44"],
])("a new key for %s is of type %s; later only its verifier key is shown", (use, algorithm) => {
  const context = recordingContext();
  expect(runLogKey(file, { name: "example.org/ours", for: use }, context)).toBe(0);
  const made = readFileSync(file, "utf8");
  expect(runLogKey(file, { json: true }, context)).toBe(0);
  const { key } = loadNoteKey(file);
  expect(key).toMatchObject({ name: "example.org/ours", algorithm });
  expect(context.printed).toEqual([formatVkey(key)]);
  expect(context.json).toEqual([{ name: "example.org/ours", algorithm, vkey: formatVkey(key) }]);
  expect(readFileSync(file, "utf8")).toBe(made);
});

test.each<[string, LogKeyOptions, RegExp]>([
  ["another name", { name: "example.org/theirs" }, /is there already, and its name is example\.org\/ours/],
  ["another use", { for: "witness" }, /is there already, and of type ed25519/],
])("a key that is there is not shown as one of %s, nor changed", (_, options, reason) => {
  runLogKey(file, { name: "example.org/ours" }, recordingContext());
  const made = readFileSync(file, "utf8");
  expect(() => runLogKey(file, options, recordingContext())).toThrow(reason);
  expect(readFileSync(file, "utf8")).toBe(made);
});

test.each<[string, LogKeyOptions, RegExp]>([
  ["no name", {}, /there is no such file; to make a key, give its name/],
  ["a name with a space", { name: "my log" }, /"my log" cannot be its name/],
])("with %s no key is made", (_, options, reason) => {
  expect(() => runLogKey(file, options, recordingContext())).toThrow(reason);
  expect(() => readFileSync(file)).toThrow(/ENOENT/);
});
