import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { createApi } from "@quorate/client/api";
import { createLogReader } from "@quorate/client/log-reader";
import { parseVkey } from "@quorate/tlog/note";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { choosePort } from "./ports.ts";
import { processesOf } from "./processes.fixture.ts";
import { until } from "./readiness.ts";

const program = join(import.meta.dirname, "../main.ts");
const run = promisify(execFile);
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

/** Ends of a command that is to fail. */
async function refused(argv: readonly string[]): Promise<{ code: number; stderr: string }> {
  return run(process.execPath, [program, ...argv]).then(
    () => {
      throw new Error("it did not fail");
    },
    (error: { code: number; stderr: string }) => error,
  );
}

async function firstEntry(url: string): Promise<Uint8Array> {
  const { logUrl, logKey } = await createApi({ url }).network();
  const reader = createLogReader({ url: logUrl, logKey: parseVkey(logKey) });
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

  it("refuses a data directory that is in use and names the process", async () => {
    const { process: running } = await up();
    const { code, stderr } = await refused(["up", "--data", directory]);
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`^quorate: opening ${directory}: it is in use by process ${running.pid} `, "m"));
  });

  it("refuses a data directory of a newer version and says which it knows", async () => {
    const newer = await mkdtemp(join(tmpdir(), "quorate-newer-"));
    await writeFile(join(newer, "format"), '{"service":"network","format":99}');
    const { code, stderr } = await refused(["up", "--data", newer]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/format 99 is newer than 1, .*run a newer version/);
    await rm(newer, { recursive: true });
  });

  it("refuses a user who cannot build, and a mirror that is none, before anything is written", async () => {
    const home = join(directory, "never");
    // As a user who may read any file, wherever this checkout is.
    const user = ["--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"];
    const asNobody = [...user, "--", process.execPath, program, "up", "--data", home];
    await expect(run("setpriv", asNobody)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^quorate: starting a network: .*root is needed/),
    });
    const { code, stderr } = await refused(["up", "--data", home, "--mirror", "debian.example"]);
    expect(code).toBe(1);
    expect(stderr).toContain("argument 'debian.example' is invalid. It must be an http, https or file URL.");
    expect(existsSync(home)).toBe(false);
  });

  it("refuses a port in use and says how to choose another", async () => {
    const taken = await choosePort(new Set([port]));
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(taken, "127.0.0.1", resolve));
    const { code, stderr } = await refused(["up", "--data", directory, "--port", String(taken)]);
    server.close();
    expect(code).toBe(1);
    expect(stderr).toContain(
      `quorate: listening on port ${taken}: another process uses it; stop that process, or choose another port with --port`,
    );
  });
});
