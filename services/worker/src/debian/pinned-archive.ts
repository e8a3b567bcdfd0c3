import { once } from "node:events";
import { createReadStream } from "node:fs";
import { mkdir, open, rm, stat } from "node:fs/promises";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { PackageCache } from "./package-cache.ts";
import { type PinnedEnvironment, type PinnedSuite, findPackages } from "./pinned-environment.ts";

/** Where an environment finds the archive, inside its network namespace: always the same, because apt writes it into its file names. */
export const pinnedArchivePort = 3142;
const archiveSocketName = "socket";
export const pinnedArchiveUrl = `http://127.0.0.1:${pinnedArchivePort}`;

/** An archive that has exactly the pinned state: the signed InRelease files, the pinned indices, and the files that these list. */
export interface PinnedArchive extends AsyncDisposable {
  /** A command that makes the archive reachable in a network namespace. */
  readonly forwarder: readonly string[];
  /** The first file that is listed and could not be had. */
  readonly failure: unknown;
}

export type PinnedArchiveOptions = {
  dataDirectory: string;
  environment: PinnedEnvironment;
  cache: PackageCache;
  /** For people: which file is being fetched or read. */
  onFile(name: string): void;
  signal: AbortSignal;
};

export async function openPinnedArchive(options: PinnedArchiveOptions): Promise<PinnedArchive> {
  const directory = join(options.dataDirectory, "run", `archive-${crypto.randomUUID()}`);
  // Nobody else on the host can connect.
  await mkdir(directory, { recursive: true, mode: 0o700 });
  let failure: unknown;
  const server = createServer((request, response) => {
    serve(options, request, response).catch((error: unknown) => {
      failure ??= error;
      if (!response.headersSent) response.writeHead(502).end();
      else response.destroy();
    });
  });
  {
    // A unix socket's path has at most 107 bytes, and a data directory's may have more.
    await using handle = await open(directory);
    server.listen(`/proc/self/fd/${handle.fd}/${archiveSocketName}`);
    await once(server, "listening");
  }
  return {
    forwarder: [process.execPath, join(import.meta.dirname, "archive-forwarder.ts"), directory, String(pinnedArchivePort)],
    get failure() {
      return failure;
    },
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function serve(options: PinnedArchiveOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = decodeURIComponent(new URL(request.url ?? "/", pinnedArchiveUrl).pathname);
  const file = request.method === "GET" ? await findFile(options, path) : undefined;
  if (file === undefined) {
    response.writeHead(404, { "content-length": 0 }).end();
    return;
  }
  response.writeHead(200, { "content-type": "application/octet-stream", "content-length": (await stat(file)).size });
  await pipeline(createReadStream(file), response);
}

async function findFile({ environment, cache, onFile, signal }: PinnedArchiveOptions, path: string): Promise<string | undefined> {
  const [, suiteName, rest] = /^\/dists\/([^/]+)\/(.+)$/.exec(path) ?? [];
  const suite = environment.suites.find((one) => one.suite === suiteName);
  if (suite !== undefined && rest !== undefined) return rest === "InRelease" ? suite.inReleaseFile : await findIndex(suite, rest);
  const poolPath = path.slice(1);
  const name = basename(poolPath);
  const stanza = (await findPackages(environment, name.slice(0, Math.max(0, name.indexOf("_"))))).find((one) => one.path === poolPath);
  if (stanza === undefined) return undefined;
  onFile(name);
  return await cache.load({ url: `${environment.archive.url}/${stanza.path}`, sizeBytes: stanza.sizeBytes, sha256: stanza.sha256 }, signal);
}

/** By its own path, or by the path that the repository format gives each digest: `main/binary-amd64/by-hash/SHA256/<digest>`. */
async function findIndex(suite: PinnedSuite, path: string): Promise<string | undefined> {
  const index = suite.indices.find(({ pin }) => pin.path === path || `${dirname(pin.path)}/by-hash/SHA256/${pin.sha256}` === path);
  return (await index?.byName())?.stored.file;
}

/** What apt is told: these suites of the pinned archive, to be believed under these keys only. */
export function formatSourcesList({ archive, suites }: PinnedEnvironment, architecture: string): string {
  return suites
    .map(({ suite, indices }) => {
      const paths = indices.map(({ pin }) => /^(.+)\/binary-[^/]+\/Packages$/.exec(pin.path)?.[1]);
      const components = [...new Set(paths.filter((component) => component !== undefined))];
      const options = [`arch=${architecture}`, "target=Packages", `signed-by=${archive.keyrings.join(",")}`];
      return `deb [${options.join(" ")}] ${pinnedArchiveUrl} ${suite} ${components.join(" ")}\n`;
    })
    .join("");
}
