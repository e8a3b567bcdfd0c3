import { mkdtemp, readFile, rm, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { utf8 } from "@quorate/protocol/utf8";
import { leafHash, rootOf } from "@quorate/tlog/merkle";
import { portableHasher } from "@quorate/tlog/portable-hasher";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkLog, type LogCheckOptions } from "./check-log.ts";
import { logSourceOf, partialWidthsOf } from "./log-source.ts";
import { writeTiles } from "./served-log.fixture.ts";

const entries = Array.from({ length: 700 }, (_, index) => utf8(`entry ${index}`));
const checkpointAt = (size: number) => ({
  origin: "log.example",
  size,
  root: rootOf(entries.slice(0, size).map((entry) => leafHash(entry))),
});

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "quorate-check-"));
  for (const size of [100, 600, 700]) await writeTiles(directory, entries.slice(0, size));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

function check(options: Partial<LogCheckOptions> = {}) {
  const url = pathToFileURL(directory).href;
  return checkLog({
    source: logSourceOf(url),
    partialWidths: partialWidthsOf(url),
    checkpoint: checkpointAt(700),
    hasher: portableHasher,
    ...options,
  });
}

const problems = async (options?: Partial<LogCheckOptions>) =>
  (await check(options)).problems.map(({ path, kind }) => `${kind} ${path}`).toSorted();

async function flipBit(path: string, at = 40): Promise<void> {
  const bytes = await readFile(join(directory, path));
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await writeFile(join(directory, path), bytes);
}

describe("checking a log's files", () => {
  it("finds nothing wrong with a whole log, and hashes every entry", async () => {
    expect(await check()).toMatchObject({ entries: 700, problemCount: 0 });
    expect(await problems({ checkpoint: checkpointAt(0) })).toEqual([]);
    expect(await problems({ checkpoint: checkpointAt(512) })).toEqual([]);
  });

  it.each([
    "tile/0/000",
    "tile/0/001",
    "tile/1/000.p/2",
    "tile/0/002.p/188",
    "tile/entries/000",
    "tile/entries/002.p/188",
    "tile/0/000.p/100",
    "tile/0/002.p/88",
    "tile/entries/002.p/88",
  ])("names a flipped bit in %s", async (path) => {
    await flipBit(path);
    const found = await problems();
    expect(found).toContain(`wrong ${path}`);
    expect(found.filter((problem) => problem !== "wrong checkpoint" && !problem.includes(".p/") && !problem.endsWith(path))).toEqual([]);
  });

  it.each(["tile/0/001", "tile/1/000.p/2", "tile/entries/001", "tile/entries/002.p/188"])(
    "names %s when it is missing, and checks the rest",
    async (path) => {
      await unlink(join(directory, path));
      expect((await problems()).filter((problem) => problem !== "wrong checkpoint")).toEqual([`missing ${path}`]);
    },
  );

  it("misses the partial tiles of a published size until the full ones are there", async () => {
    expect(await problems({ published: [100, 600] })).toEqual([]);
    await rm(join(directory, "tile/0/002.p/88"));
    await rm(join(directory, "tile/0/000.p"), { recursive: true });
    expect(await problems({ published: [100, 600] })).toEqual(["missing tile/0/002.p/88"]);
    expect(await problems({ published: [100, 600], partialWidths: undefined })).toEqual(["missing tile/0/002.p/88"]);
  });

  it("does not read again what was checked before, and refuses a log that does not extend it", async () => {
    expect(await check({ checked: checkpointAt(600) })).toMatchObject({ entries: 188, problemCount: 0 });
    await flipBit("tile/entries/000");
    expect(await problems({ checked: checkpointAt(600) })).toEqual([]);
    const other = { size: 600, root: checkpointAt(599).root };
    expect(await problems({ checked: other })).toContain("wrong checkpoint");
    expect(await problems({ checkpoint: checkpointAt(600), checked: checkpointAt(700) })).toContain("wrong checkpoint");
  });

  it("refuses entries that are not the checkpoint's, whole as they are", async () => {
    await writeTiles(directory, entries.toReversed());
    expect(await problems()).toContain("wrong checkpoint");
  });
});
