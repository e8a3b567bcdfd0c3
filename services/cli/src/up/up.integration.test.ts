import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { createApi } from "@quorate/client/api";
import { createLogReader } from "@quorate/client/log-reader";
import { verifyNoteSignature } from "@quorate/signing/note-key";
import { parseVkey } from "@quorate/tlog/note";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { choosePort } from "./ports.ts";
import { processesOf } from "./processes.fixture.ts";
import { until } from "./readiness.ts";

const program = join(import.meta.dirname, "../main.ts");
const signal = AbortSignal.timeout(280_000);

let directory = "";
let port = 0;
const started: Pick<Up, "process" | "exited">[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "quorate-up-"));
  port = await choosePort(new Set());
});
afterEach(async () => {
  for (const { process: child, exited } of started.splice(0)) {
    child.kill("SIGKILL");
    await exited;
  }
  await until(async () => (await processesOf(directory)).length === 0, signal);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

type Up = { process: ChildProcess; url: string; exited: Promise<unknown[]> };

async function up(): Promise<Up> {
  const argv = [program, "up", "--data", directory, "--port", String(port), "--operators", "1", "--json"];
  const child = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "pipe"] });
  const exited = once(child, "exit");
  started.push({ process: child, exited });
  const said = text(child.stderr);
  const first = await Promise.race([once(child.stdout, "data"), exited]);
  if (child.exitCode !== null) throw new Error(`up ended with ${child.exitCode}: ${await said}`);
  return { process: child, url: JSON.parse(String(first[0])).url, exited };
}

async function firstEntry(url: string): Promise<Uint8Array> {
  const { logUrl, logKey } = await createApi({ url }).network();
  const reader = createLogReader({ url: logUrl, signedBy: { keys: [parseVkey(logKey)], verify: verifyNoteSignature } });
  const { checkpoint } = await reader.checkpoint();
  return reader.entry(0, checkpoint.size);
}

describe("quorate up", () => {
  it("stops everything in order at Ctrl-C, and goes on where it was when it is started again", async () => {
    const first = await up();
    const policy = await readFile(join(directory, "policy"), "utf8");
    const entry = await firstEntry(first.url);
    first.process.kill("SIGINT");
    expect(await first.exited).toEqual([0, null]);
    expect(await processesOf(directory)).toEqual([]);
    const second = await up();
    expect(second.url).toBe(first.url);
    expect(await firstEntry(second.url)).toEqual(entry);
    expect(await readFile(join(directory, "policy"), "utf8")).toBe(policy);
  });

  it("leaves no process behind and loses nothing when it is killed", async () => {
    const first = await up();
    const entry = await firstEntry(first.url);
    const children = await processesOf(directory);
    expect(children.length).toBeGreaterThan(9);
    first.process.kill("SIGKILL");
    await first.exited;
    await until(async () => (await processesOf(directory)).length === 0, signal);
    const second = await up();
    expect(await firstEntry(second.url)).toEqual(entry);
  });
});
