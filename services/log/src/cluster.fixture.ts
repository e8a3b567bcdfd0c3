import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { globSync } from "node:fs";
import { chown, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { promisify } from "node:util";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import pg from "pg";
import type { ClusterStores } from "./config.ts";

/** PostgreSQL does not run as root. */
const nobody = { uid: 65_534, gid: 65_534 };
const isRoot = process.getuid?.() === 0;

export type ClusterServers = AsyncDisposable & {
  /** A new database and a new bucket. */
  newStores(): Promise<ClusterStores>;
  /** Ends every session with a database, as a server that fails over does. */
  endSessions(stores: ClusterStores): Promise<void>;
};

/** A PostgreSQL and an S3-compatible store (OpenStack Swift) of Debian as private children. */
export async function startClusterServers(): Promise<ClusterServers> {
  await using stack = new AsyncDisposableStack();
  const [postgres, swift] = await Promise.all([startPostgres().then((one) => stack.use(one)), startSwift().then((one) => stack.use(one))]);
  const administer = async (statement: string, values: unknown[] = []) => {
    const client = new pg.Client(postgres.url("postgres"));
    await client.connect();
    await client.query(statement, values).finally(() => client.end());
  };
  let count = 0;
  const owned = stack.move();
  return {
    async newStores() {
      const name = `log${(count += 1)}`;
      await administer(`CREATE DATABASE ${name}`);
      const s3 = { url: swift.url, bucket: name, region: "us-east-1", credentials: { accessKeyId: "test:key", secretAccessKey: "secret" } };
      const client = new S3Client({ endpoint: s3.url, region: s3.region, credentials: s3.credentials, forcePathStyle: true });
      await client.send(new CreateBucketCommand({ Bucket: name })).finally(() => client.destroy());
      return { kind: "cluster", databaseUrl: postgres.url(name), s3 };
    },
    async endSessions({ databaseUrl }) {
      const database = new URL(databaseUrl).pathname.slice(1);
      await administer("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", [database]);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function startPostgres(): Promise<AsyncDisposable & { url: (database: string) => string }> {
  const directory = await mkdtemp(join(tmpdir(), "quorate-postgres-"));
  if (isRoot) await chown(directory, nobody.uid, nobody.gid);
  const bin = globSync("/usr/lib/postgresql/*/bin").sort().at(-1);
  if (bin === undefined) throw new Error("starting PostgreSQL: /usr/lib/postgresql has none; install the package postgresql");
  const data = join(directory, "data");
  const as = isRoot ? nobody : {};
  await promisify(execFile)(join(bin, "initdb"), ["-D", data, "-A", "trust", "-U", "postgres", "--no-sync"], as);
  const settings = ["-D", data, "-k", directory, "-c", "listen_addresses="];
  const child = spawn("setpriv", ["--pdeathsig", "INT", join(bin, "postgres"), ...settings], {
    ...as,
    stdio: ["ignore", "ignore", "pipe"],
  });
  await untilLine(child, child.stderr, /ready to accept connections/);
  return {
    url: (database) => `postgres://postgres@localhost/${database}?host=${encodeURIComponent(directory)}`,
    ...owned(child, directory, "SIGINT"),
  };
}

async function startSwift(): Promise<AsyncDisposable & { url: string }> {
  const directory = await mkdtemp(join(tmpdir(), "quorate-swift-"));
  await mkdir(join(directory, "swift"));
  const program = join(import.meta.dirname, "swift-server.fixture.py");
  // Debian's own Python has Debian's modules, whichever comes first in PATH.
  const child = spawn("/usr/bin/python3", [program, join(directory, "swift")], { stdio: ["pipe", "pipe", "inherit"] });
  const line = await untilLine(child, child.stdout, /^listening on/);
  return { url: `http://127.0.0.1:${line.slice("listening on ".length)}`, ...owned(child, directory, "SIGTERM") };
}

async function untilLine(child: ChildProcess, output: Readable, expected: RegExp): Promise<string> {
  const said: string[] = [];
  for await (const line of createInterface({ input: output })) {
    said.push(line);
    if (!expected.test(line)) continue;
    output.resume();
    return line;
  }
  throw new Error(`starting ${child.spawnfile}: it ended and said ${said.join(" | ")}`);
}

function owned(child: ChildProcess, directory: string, stop: NodeJS.Signals): AsyncDisposable {
  return {
    async [Symbol.asyncDispose]() {
      child.kill(stop);
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
      await rm(directory, { recursive: true, force: true });
    },
  };
}
