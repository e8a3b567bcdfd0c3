import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import pg from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ChildEvent, ChildStartError, startChild } from "./child.ts";
import { databaseChild } from "./database.ts";
import { hostEnvironment } from "./host-environment.ts";
import { layoutOf } from "./layout.ts";
import { processesOf } from "./processes.fixture.ts";
import { until } from "./readiness.ts";
import { redisChild } from "./redis.ts";

const host = hostEnvironment(process.env);
const signal = AbortSignal.timeout(120_000);
let directory = "";

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "quorate-child-"));
  await mkdir(join(directory, "logs"));
  await mkdir(layoutOf(directory).sockets);
});
afterEach(() => rm(directory, { recursive: true, force: true }));

function shell(script: string) {
  return {
    name: "shell",
    command: "sh",
    arguments: ["-c", script],
    environment: { ...host.variables, DIRECTORY: directory },
    logPath: join(directory, "logs", "shell.log"),
    ready: () => Promise.resolve(),
    stopSeconds: 0.2,
  };
}

describe("a supervised child", () => {
  it("is started again when it ends, and that is said", async () => {
    const redis = redisChild(layoutOf(directory), host);
    const events: ChildEvent[] = [];
    const child = await startChild(redis, { report: (event) => events.push(event), signal });
    const first = child.pid() ?? 0;
    process.kill(first, "SIGKILL");
    await until(async () => events.length === 3, signal);
    expect(events).toMatchObject([{ kind: "ready" }, { kind: "crashed", name: "redis", how: "signal SIGKILL" }, { kind: "ready" }]);
    expect(child.pid()).not.toBe(first);
    await child.stop();
    expect(await processesOf(directory)).toEqual([]);
  });

  it("that ends before it is ready fails the start with the end of its log", async () => {
    const failing = { ...shell("echo the disk is full; exit 3"), ready: () => new Promise<void>(() => {}) };
    const start = startChild(failing, { report: () => {}, signal });
    await expect(start).rejects.toThrow(ChildStartError);
    await expect(start).rejects.toThrow(/starting shell: it ended \(exit code 3\); the end of its log .*:\n {2}the disk is full/);
  });

  it("that does not stop when told is killed with all that it started, and that is said", async () => {
    const events: ChildEvent[] = [];
    const stubborn = { ...shell("trap '' TERM; touch $DIRECTORY/up; sleep 1000 & while :; do sleep 1; done") };
    const ready = () => until(async () => (await readFile(join(directory, "up")).catch(() => undefined)) !== undefined, signal);
    const child = await startChild({ ...stubborn, ready }, { report: (event) => events.push(event), signal });
    await child.stop();
    expect(events.at(-1)).toEqual({ kind: "killed", name: "shell", reason: "it did not stop within 0.2 s" });
    expect(await processesOf(directory)).toEqual([]);
  });
});

describe("the embedded database", () => {
  it("is a PostgreSQL for ordinary clients, several at a time, and keeps what was committed when it is killed", async () => {
    const specification = databaseChild(layoutOf(directory), host);
    const events: ChildEvent[] = [];
    const child = await startChild(specification, { report: (event) => events.push(event), signal });
    const query = async (text: string) => {
      const client = new pg.Client(specification.url);
      await client.connect();
      try {
        return (await client.query(text)).rows as unknown[];
      } finally {
        await client.end();
      }
    };
    await query("create table kept (value int)");
    await Promise.all([1, 2, 3].map((value) => query(`insert into kept values (${value})`)));
    process.kill(child.pid() ?? 0, "SIGKILL");
    await until(async () => events.length === 3, signal);
    expect(await query("select sum(value)::int as total from kept")).toEqual([{ total: 6 }]);
    await child.stop();
  });
});

describe("children of a process that is killed", () => {
  it("end with it", async () => {
    const parent = spawn(process.execPath, [join(import.meta.dirname, "children.fixture.ts"), directory], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    expect(await firstLine(parent)).toBe("ready");
    expect((await processesOf(directory)).length).toBe(3);
    parent.kill("SIGKILL");
    await once(parent, "exit");
    await until(async () => (await processesOf(directory)).length === 0, signal);
  });
});

async function firstLine({ stdout }: ChildProcess): Promise<string> {
  if (!stdout) throw new Error("no standard output");
  for await (const line of createInterface({ input: stdout })) return line;
  throw new Error("ended without a line");
}
