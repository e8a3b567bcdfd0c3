import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join, normalize } from "node:path";

export type DirectoryServer = {
  /** `http://` URL on the loopback interface. */
  readonly url: string;
  /** What was asked for: path and answer, in order, such as `/dists/small/InRelease 304`. */
  readonly requests: string[];
  /** When set, answers in place of the files: a status, or other bytes. */
  answer: ((path: string) => { status: number } | { bytes: Uint8Array } | undefined) | undefined;
  [Symbol.asyncDispose](): Promise<void>;
};

/** Serves the files below a directory, with entity tags, as an archive's mirror does. */
export async function serveDirectory(root: string): Promise<DirectoryServer> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname);
    const end = (status: number, bytes?: Uint8Array, etag?: string) => {
      requests.push(`${path} ${status}`);
      response.writeHead(status, etag === undefined ? {} : { etag }).end(bytes);
    };
    const instead = served.answer?.(path);
    if (instead !== undefined) return "status" in instead ? end(instead.status) : end(200, instead.bytes);
    return void readFile(join(root, normalize(path))).then(
      (bytes) => {
        const etag = `"${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}"`;
        return request.headers["if-none-match"] === etag ? end(304, undefined, etag) : end(200, bytes, etag);
      },
      () => end(404),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const served: DirectoryServer = {
    url: `http://127.0.0.1:${port}`,
    requests,
    answer: undefined,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return served;
}
