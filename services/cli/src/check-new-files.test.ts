import { mkdtemp, rm, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { logSourceOf } from "@quorate/client/log-source";
import { writeTiles } from "@quorate/client/served-log.fixture";
import { utf8 } from "@quorate/protocol/utf8";
import { leafHash, rootOf } from "@quorate/tlog/merkle";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkNewFiles, type NewFiles } from "./check-new-files.ts";
import { loadCheckState } from "./check-state.ts";

const entries = Array.from({ length: 900 }, (_, index) => utf8(`entry ${index}`));
const checkpoint = { origin: "log.example", size: 900, root: rootOf(entries.map((entry) => leafHash(entry))) };

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "quorate-new-files-"));
  await writeTiles(join(directory, "log"), entries);
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const known = () => loadCheckState(join(directory, "state"), checkpoint.origin);

async function check(changes: Partial<NewFiles> = {}) {
  const url = pathToFileURL(join(directory, "log")).href;
  const given = { url, source: logSourceOf(url), checkpoint, statePath: join(directory, "state"), signal: new AbortController().signal };
  return checkNewFiles({ ...given, state: await known(), stepEntries: 256, ...changes });
}

describe("checking what a log has added", () => {
  it("goes on where an interrupted check was, and finds the same as one that was not", async () => {
    const interrupted = new AbortController();
    const counts: number[] = [];
    const onProgress = (count: number) => {
      counts.push(count);
      if (count > 600) interrupted.abort(new Error("interrupted"));
    };
    await expect(check({ signal: interrupted.signal, onProgress })).rejects.toThrow("interrupted");
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    expect(await known()).toMatchObject({ size: 512, root: rootOf(entries.slice(0, 512).map((entry) => leafHash(entry))), published: [] });
    expect(await check()).toMatchObject({ problemCount: 0 });
    expect(await known()).toEqual({ ...checkpoint, published: [900] });
    expect(await check({ state: undefined })).toMatchObject({ problemCount: 0 });
  });

  it("names what is wrong after the last step that was whole", async () => {
    await unlink(join(directory, "log/tile/entries/002"));
    const { problems } = await check();
    expect(problems).toMatchObject([{ kind: "missing", path: "tile/entries/002" }]);
    expect(await known()).toMatchObject({ size: 512 });
  });
});
