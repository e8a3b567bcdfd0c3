import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeLogFile, writeTiles } from "@quorate/client/served-log.fixture";
import { utf8 } from "@quorate/protocol/utf8";
import { cosigned, testLog, testWitnesses } from "@quorate/tlog/cosigned.fixture";
import { leafHash, rootOf } from "@quorate/tlog/merkle";
import { formatTlogPolicy } from "@quorate/tlog/tlog-policy";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
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

describe("quorate log mirror --serve", () => {
  const mirror = () => join(directory, "mirror");

  /** Serves in the background until it is interrupted or disposed. */
  async function startServing() {
    const interrupted = new AbortController();
    const context = { ...recordingContext(), signal: interrupted.signal };
    const running = runLogMirror(mirror(), { ...options, serve: { host: "127.0.0.1", port: 0 }, interval: 0.02 }, context);
    const ended = running.then(
      () => undefined,
      (error: unknown) => error,
    );
    await expect.poll(() => context.json.length, { timeout: 20_000 }).toBeGreaterThan(0);
    const { url } = z.object({ url: z.string() }).parse(context.json[0]);
    const get = async (path: string) => {
      const response = await fetch(`${url}/${path}`);
      return {
        status: response.status,
        type: response.headers.get("content-type"),
        cache: response.headers.get("cache-control"),
        bytes: Buffer.from(await response.arrayBuffer()),
      };
    };
    const serves = async (size: number) => {
      const served = async () => (await get("checkpoint")).bytes.toString().split("\n")[1];
      await expect.poll(served, { timeout: 20_000 }).toBe(String(size));
    };
    const interrupt = async () => {
      interrupted.abort(new Error("interrupted"));
      return ended;
    };
    return { context, get, serves, interrupt, [Symbol.asyncDispose]: async () => void (await interrupt()) };
  }

  it("serves every file of the log under the log's own headers, and what the log adds, until it is interrupted", async () => {
    await using served = await startServing();
    const { context, get, serves, interrupt } = served;
    await serves(600);
    await publish(700);
    await serves(700);
    const paths = [
      "tile/0/000",
      "tile/0/001",
      "tile/0/002.p/88",
      "tile/0/002.p/188",
      "tile/1/000.p/2",
      "tile/entries/001",
      "tile/entries/002.p/188",
    ];
    for (const path of paths) {
      const { bytes, ...headers } = await get(path);
      expect([path, headers]).toEqual([
        path,
        { status: 200, type: "application/octet-stream", cache: "public, max-age=31536000, immutable" },
      ]);
      expect(bytes.equals(await readFile(join(options.log, path)))).toBe(true);
    }
    expect((await get("tile/0/002.p/100")).bytes.equals((await readFile(join(options.log, "tile/0/002.p/188"))).subarray(0, 3200))).toBe(
      true,
    );
    expect(await get("checkpoint")).toMatchObject({ type: "text/plain; charset=utf-8", cache: "public, max-age=1" });
    for (const path of ["tile/0/002", "tile/0/002.p/189", "tile/0/3", "lock", "checkpoint/"])
      expect([path, (await get(path)).status]).toEqual([path, 404]);
    expect(context.json).toMatchObject([{ url: expect.stringMatching(/^http/) }, { added: 600 }, { added: 100 }]);
    expect(await interrupt()).toBeInstanceOf(Error);
  });

  it("says what is wrong with the log, serves on what it has, and recovers", async () => {
    await using served = await startServing();
    const { context, get, serves } = served;
    await serves(600);
    await publish(300);
    await expect
      .poll(() => context.said.join("\n"))
      .toMatch(/it has 300 entries, and the mirror has 600: a log does not shrink.*; trying again in/);
    await rm(join(options.log, "checkpoint"));
    await expect
      .poll(() => context.said.join("\n"))
      .toMatch(/reading the checkpoint of the log at file:.*there is none.*; trying again in/);
    expect((await get("checkpoint")).bytes.toString()).toContain("\n600\n");
    await publish(700);
    await serves(700);
  });

  it("hashes what it holds when it starts, and serves no file that the disk has changed", async () => {
    await runLogMirror(mirror(), options, recordingContext());
    const path = "tile/entries/001";
    await flipBit(join(mirror(), path));
    await using served = await startServing();
    const { context, get, serves } = served;
    await serves(600);
    expect(context.said).toContainEqual(expect.stringMatching(/^wrong {2}tile\/entries\/001: entry 259 is not the one/));
    expect((await get(path)).bytes.equals(await readFile(join(options.log, path)))).toBe(true);
  });

  it("has no checkpoint to serve before it has copied one", async () => {
    await flipBit(join(options.log, "tile/entries/001"));
    await using served = await startServing();
    const { context, get } = served;
    await expect
      .poll(() => context.said.join("\n"))
      .toMatch(/1 of its files are not what its checkpoint says; the mirror stays at 0; trying again/);
    expect((await get("checkpoint")).status).toBe(503);
    expect((await get("tile/0/000")).status).toBe(404);
    expect((await get("health/ready")).status).toBe(503);
  });
});
