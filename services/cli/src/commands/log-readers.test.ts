import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeLogFile, writeTiles } from "@quorate/client/served-log.fixture";
import { utf8 } from "@quorate/protocol/utf8";
import { cosigned, testLog, testWitnesses } from "@quorate/tlog/cosigned.fixture";
import { leafHash, rootOf } from "@quorate/tlog/merkle";
import { formatTlogPolicy } from "@quorate/tlog/tlog-policy";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { recordingContext } from "../recording-terminal.fixture.ts";
import { runLogFsck } from "./fsck.ts";
import { runLogMirror } from "./mirror.ts";

const entries = Array.from({ length: 700 }, (_, index) => utf8(`entry ${index}`));
const rootAt = (size: number) => rootOf(entries.slice(0, size).map((entry) => leafHash(entry)));

let directory = "";
let options: { log: string; policy: string; json: true };

async function publish(size: number, log = entries): Promise<void> {
  await writeTiles(options.log, log.slice(0, size));
  await writeLogFile(options.log, "checkpoint", cosigned({ size, root: rootAt(size) }, testWitnesses));
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "quorate-readers-"));
  options = { log: join(directory, "log"), policy: join(directory, "policy"), json: true };
  const witnesses = testWitnesses.map(({ key }) => ({ name: key.name, key }));
  const groups = [{ name: "most", threshold: 3, members: witnesses.map(({ name }) => name) }];
  await writeFile(options.policy, formatTlogPolicy({ logs: [{ key: testLog.key }], witnesses, groups, quorum: "most" }));
  await publish(600);
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function flipBit(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes[40] = (bytes[40] ?? 0) ^ 1;
  await writeFile(path, bytes);
}

describe("quorate log fsck", () => {
  it("checks the whole log, then with --state only what is new", async () => {
    const context = recordingContext();
    const state = join(directory, "state");
    expect(await runLogFsck({ ...options, state }, context)).toBe(0);
    await publish(700);
    expect(await runLogFsck({ ...options, state }, context)).toBe(0);
    expect(context.json).toMatchObject([
      { whole: true, from: 0, entries: 600 },
      { whole: true, from: 600, entries: 188 },
    ]);
    await rm(join(options.log, "tile/0/002.p/88"));
    expect(await runLogFsck({ ...options, state }, context)).toBe(2);
    expect(context.json.at(-1)).toMatchObject({ whole: false, problems: [{ kind: "missing", path: "tile/0/002.p/88" }] });
  });

  it("refuses a checkpoint below the witnesses' quorum, with exit code 2", async () => {
    await writeLogFile(options.log, "checkpoint", cosigned({ size: 600, root: rootAt(600) }, testWitnesses.slice(0, 2)));
    await expect(runLogFsck(options, recordingContext())).rejects.toMatchObject({ exitCode: 2 });
  });
});

describe("quorate log mirror", () => {
  const mirror = () => join(directory, "mirror");

  it("copies a log, later what is new, and the copy passes fsck", async () => {
    const context = recordingContext();
    expect(await runLogMirror(mirror(), options, context)).toBe(0);
    await publish(700);
    expect(await runLogMirror(mirror(), options, context)).toBe(0);
    expect(await runLogMirror(mirror(), options, context)).toBe(0);
    expect(context.json).toMatchObject([{ added: 600 }, { added: 100 }, { added: 0 }]);
    expect(await runLogFsck({ ...options, log: mirror() }, context)).toBe(0);
    expect(await readFile(join(mirror(), "checkpoint"), "utf8")).toBe(await readFile(join(options.log, "checkpoint"), "utf8"));
  });

  it("goes on after an interruption, and does not believe what it left", async () => {
    await cp(join(options.log, "tile"), join(mirror(), "tile"), { recursive: true });
    await flipBit(join(mirror(), "tile/entries/001"));
    expect(await runLogMirror(mirror(), options, recordingContext())).toBe(0);
    expect(await runLogFsck({ ...options, log: mirror() }, recordingContext())).toBe(0);
  });

  it("publishes no checkpoint over files that are not the checkpoint's, with exit code 2", async () => {
    await flipBit(join(options.log, "tile/entries/001"));
    await expect(runLogMirror(mirror(), options, recordingContext())).rejects.toMatchObject({ exitCode: 2 });
    expect(await readdir(mirror())).not.toContain("checkpoint");
  });

  it("refuses a log that has shrunk or been replaced, with exit code 2", async () => {
    await runLogMirror(mirror(), options, recordingContext());
    await publish(300);
    await expect(runLogMirror(mirror(), options, recordingContext())).rejects.toMatchObject({ exitCode: 2 });
    const others = entries.toReversed();
    await writeTiles(options.log, others);
    const root = rootOf(others.map((entry) => leafHash(entry)));
    await writeLogFile(options.log, "checkpoint", cosigned({ size: 700, root }, testWitnesses));
    await expect(runLogMirror(mirror(), options, recordingContext())).rejects.toMatchObject({ exitCode: 2 });
  });
});
