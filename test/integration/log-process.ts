import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { LogConfig } from "@quorate/log/config";
import { endsWithThis } from "@quorate/bus/ends-with-this.fixture";
import type { LogConstellation } from "./log-constellation.ts";

const main = join(import.meta.dirname, "../../services/log/src/main.ts");

export type LogProcess = AsyncDisposable & { readonly url: string; readonly child: ChildProcess; kill(): Promise<void> };

type LogProcessOptions = {
  readonly batchMilliseconds?: number;
  /** Told of each line that the process logs before it listens. */
  readonly onLine?: (line: string) => void;
};

/** Starts the log as a process of its own, which can be killed. Rejects with its last line when it ends before it listens. */
export async function startLogProcess(
  constellation: LogConstellation,
  { batchMilliseconds = 5, onLine = () => undefined }: LogProcessOptions = {},
): Promise<LogProcess> {
  const { directory, config, policyText } = constellation;
  const policyFile = join(directory, "policy");
  await writeFile(policyFile, policyText);
  const child = spawn("setpriv", [...endsWithThis, process.execPath, main], {
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      ...storesEnvironment(config.stores),
      LOG_KEY_FILE: join(directory, "log.key"),
      LOG_PORT: "0",
      LOG_TOKEN: config.token,
      LOG_POLICY_FILE: policyFile,
      LOG_BATCH_MILLISECONDS: String(batchMilliseconds),
    },
  });
  const exited = once(child, "exit");
  const url = await listeningUrl(child, onLine);
  const kill = async () => {
    child.kill("SIGKILL");
    await exited;
  };
  return { url, child, kill, [Symbol.asyncDispose]: kill };
}

function storesEnvironment(stores: LogConfig["stores"]): Record<string, string> {
  if (stores.kind === "directory") return { LOG_DATA_DIR: stores.path };
  const { url, bucket, credentials } = stores.s3;
  return {
    LOG_DATABASE_URL: stores.databaseUrl,
    LOG_S3_URL: url,
    LOG_S3_BUCKET: bucket,
    LOG_S3_ACCESS_KEY_ID: credentials?.accessKeyId ?? "",
    LOG_S3_SECRET_ACCESS_KEY: credentials?.secretAccessKey ?? "",
  };
}

async function listeningUrl(child: ChildProcess, onLine: (line: string) => void): Promise<string> {
  if (child.stdout === null) throw new Error("starting a log process: it has no output");
  let last = "";
  for await (const line of createInterface({ input: child.stdout })) {
    last = line;
    onLine(line);
    const url = /"url":"(http:[^"]+)"/.exec(line)?.[1];
    if (url === undefined) continue;
    child.stdout.resume();
    return url;
  }
  throw new Error(`starting a log process: it ended: ${last}`);
}
