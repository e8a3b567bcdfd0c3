import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { Authority } from "./authority.ts";
import { formatServerConfig } from "./server-config.ts";

/** A nats-server that is a child of this process. */
export type NatsServerProcess = AsyncDisposable & { readonly url: string; readonly pid: number; readonly exited: Promise<void> };

const startSeconds = 20;
const stopSeconds = 10;

/**
 * Starts a private nats-server and waits until it takes connections. Its state is below `directory`; a server that a killed parent left
 * running there is stopped first, because two servers on one store destroy it.
 *
 * @throws Error with the server's last words when it does not come up
 */
export async function startNatsServer(options: {
  authority: Authority;
  directory: string;
  /** Default -1: any free port. */
  port?: number;
  log?: (line: string) => void;
}): Promise<NatsServerProcess> {
  const { authority, directory, log } = options;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const configFile = `${directory}/nats-server.conf`;
  const pidFile = `${directory}/nats-server.pid`;
  await stopLeftOver(pidFile, configFile);
  await writeFile(configFile, formatServerConfig({ authority, host: "127.0.0.1", port: options.port ?? -1, directory }), { mode: 0o600 });
  // Debian installs the server in /usr/sbin, which is not on an ordinary user's PATH.
  const env = { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/local/sbin:/usr/sbin` };
  const child = spawn("nats-server", ["-c", configFile, "--pid", pidFile], { env, stdio: ["ignore", "ignore", "pipe"] });
  const exited = exitOf(child);
  try {
    const port = await portOf(child, exited, log);
    const pid = child.pid ?? 0;
    return { url: `nats://127.0.0.1:${port}`, pid, exited, [Symbol.asyncDispose]: () => stop(child, exited) };
  } catch (error) {
    await stop(child, exited);
    throw error;
  }
}

function exitOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
}

/** The server says on standard error where it listens, then that it is ready. */
async function portOf(child: ChildProcess, exited: Promise<void>, log: ((line: string) => void) | undefined): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const said: string[] = [];
  const fail = (what: string, cause?: unknown): void =>
    reject(new Error(`starting nats-server: ${what}${said.length > 0 ? `; it said: ${said.slice(-5).join(" | ")}` : ""}`, { cause }));
  let port = 0;
  if (child.stderr)
    createInterface({ input: child.stderr }).on("line", (line) => {
      log?.(line);
      if (said.push(line) > 100) said.shift();
      port = Number(/Listening for client connections on \S+:(\d+)$/.exec(line)?.[1] ?? port);
      if (line.endsWith("Server is ready")) resolve(port);
    });
  child.once("error", (error) => fail("it could not be run; install the package nats-server", error));
  void exited.then(() => fail("it ended"));
  const timer = setTimeout(() => fail(`not ready after ${startSeconds} seconds`), startSeconds * 1000);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

async function stop(child: ChildProcess, exited: Promise<void>): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), stopSeconds * 1000);
  await exited;
  clearTimeout(timer);
}

async function stopLeftOver(pidFile: string, configFile: string): Promise<void> {
  const pid = Number(await readFile(pidFile, "utf8").catch(() => ""));
  if (!Number.isSafeInteger(pid) || pid <= 1) return;
  const commandLine = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  if (!commandLine.split("\0").includes(configFile)) return;
  process.kill(pid, "SIGTERM");
  const watcher = spawn("tail", ["--pid", String(pid), "-f", "/dev/null"], { stdio: "ignore", timeout: stopSeconds * 1000 });
  await once(watcher, "exit");
}
