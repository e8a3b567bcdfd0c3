import { sha256Of } from "@quorate/protocol/digest";
import { textOf, utf8 } from "@quorate/protocol/utf8";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { cutLog } from "./cut-log.ts";
import type { LocalFile } from "./executor.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "quorate-log-"));
});
afterEach(() => rm(directory, { recursive: true }));

async function logOf(text: string): Promise<LocalFile> {
  const path = join(directory, "build.log");
  await writeFile(path, text);
  return { name: "build.log", path, sizeBytes: utf8(text).length, sha256: sha256Of(utf8(text)) };
}

test("a log within the limit is sent as it is", async () => {
  const log = await logOf("gcc\n");
  expect(await cutLog(log, 4)).toEqual({ sizeBytes: 4, sha256: log.sha256, content: { path: log.path } });
});

test("a log over the limit keeps its beginning and its end and says how much is missing", async () => {
  const { content, sizeBytes, sha256 } = await cutLog(await logOf(`${"a".repeat(500)}${"z".repeat(500)}`), 100);
  const bytes = content instanceof Uint8Array ? content : utf8("");
  expect(textOf(bytes)).toBe(`${"a".repeat(25)}\n[900 bytes of the build log are left out here]\n${"z".repeat(75)}`);
  expect([sizeBytes, sha256]).toEqual([bytes.length, sha256Of(bytes)]);
});
