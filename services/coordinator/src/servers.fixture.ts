import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { endsWithThis } from "@quorate/bus/ends-with-this.fixture";
import { createNoteKey } from "@quorate/signing/note-key";
import { formatVkey } from "@quorate/tlog/note";

export type Server<Address> = AsyncDisposable & Address & { readonly pid: number | undefined; kill(): Promise<void> };

export async function startPostgres(): Promise<Server<{ url: string }>> {
  const directory = await temporaryDirectory("pg");
  const program = fileURLToPath(new URL("./pglite-server.fixture.ts", import.meta.url));
  const child = spawn("setpriv", [...endsWithThis, process.execPath, program, directory], { stdio: ["pipe", "pipe", "inherit"] });
  // A test that ends while the server starts leaves nobody to read.
  child.stdin.on("error", () => undefined);
  const server = owned(child, directory);
  await untilLine(child, /^ready$/);
  return { url: `postgres://postgres@localhost/postgres?host=${encodeURIComponent(directory)}`, ...server };
}

export async function startRedis(): Promise<Server<{ url: string }>> {
  const directory = await temporaryDirectory("redis");
  const socket = join(directory, "redis.sock");
  const settings = ["--port", "0", "--unixsocket", socket, "--dir", directory, "--save", "", "--maxmemory-policy", "noeviction"];
  const child = spawn("setpriv", [...endsWithThis, "redis-server", ...settings], { stdio: ["pipe", "pipe", "inherit"] });
  const server = owned(child, directory);
  await untilLine(child, /ready to accept connections/i);
  return { url: socket, ...server };
}

/** Another service as a program of its own, as it runs in production; `url` is where it says that it listens. */
export async function startService(
  name: "coordinator" | "log" | "site" | "witness",
  env: Record<string, string>,
): Promise<Server<{ url: string }>> {
  const program = new URL(`../../${name}/src/main.ts`, import.meta.url);
  const { line, ...server } = await startProgram(program, { service: name, env, ready: /"url":"http/ });
  const url = /"url":"(http[^"]*)"/.exec(line)?.[1];
  if (!url) throw new Error(`starting ${name}: it does not say where it listens`);
  return { url, ...server };
}

/** A program with a data directory of its own; `line` is the one that says that it is ready. */
export async function startProgram(
  program: URL,
  { service, env, ready }: { service: string; env: Record<string, string>; ready: RegExp },
): Promise<Server<{ line: string }>> {
  const directory = await temporaryDirectory(service);
  const dataDirectory = { [`${service.toUpperCase()}_DATA_DIR`]: join(directory, "data") };
  const child = spawn("setpriv", [...endsWithThis, process.execPath, fileURLToPath(program)], {
    env: { PATH: process.env["PATH"], ...dataDirectory, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const server = owned(child, directory);
  return { line: await untilLine(child, ready), ...server };
}

/** A log and its witnesses, of which a majority is needed. `file` names the files that keys and settings are kept in. */
export async function startLogWithWitnesses(file: (name: string) => string, resources: AsyncDisposableStack, count = 1) {
  const token = "log-token-of-the-tests";
  const vkey = formatVkey(createNoteKey(file("log.key"), "log.test", "ed25519").key);
  await writeFile(file("witness-logs"), `log ${vkey}\n`);
  const names = Array.from({ length: count }, (_, index) => `w${index + 1}`);
  const lines = names.map(async (name) => {
    const { key } = createNoteKey(file(`${name}.key`), `witness.test/${name}`, "cosignature");
    const settings = { WITNESS_KEY_FILE: file(`${name}.key`), WITNESS_PORT: "0", WITNESS_LOGS_FILE: file("witness-logs") };
    const { url } = resources.use(await startService("witness", settings));
    return `witness ${name} ${formatVkey(key)} ${url}\n`;
  });
  const group = `group witnesses ${Math.floor(count / 2) + 1} ${names.join(" ")}\nquorum witnesses\n`;
  const policyFile = file("witness-policy");
  const policy = `log ${vkey}\n${(await Promise.all(lines)).join("")}${group}`;
  await writeFile(policyFile, policy);
  const log = resources.use(
    await startService("log", { LOG_KEY_FILE: file("log.key"), LOG_PORT: "0", LOG_TOKEN: token, LOG_POLICY_FILE: policyFile }),
  );
  return { url: log.url, pid: log.pid, vkey, token, policy, policyFile };
}

export const temporaryDirectory = (name: string): Promise<string> => mkdtemp(join(tmpdir(), `quorate-${name}-`));

async function untilLine(child: ChildProcess, expected: RegExp): Promise<string> {
  if (!child.stdout) throw new Error("starting a server: its output is not piped");
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    if (expected.test(line)) {
      child.stdout.resume();
      return line;
    }
    said.push(line);
  }
  throw new Error(`starting ${child.spawnargs.slice(1 + endsWithThis.length).join(" ")}: it ended and said ${said.join(" | ")}`);
}

/** A child whose directory is removed when it ends, however it does. */
function owned(child: ChildProcess, directory: string): Server<object> {
  const ended = once(child, "exit").then(() => rm(directory, { recursive: true, force: true }));
  return {
    pid: child.pid,
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}
