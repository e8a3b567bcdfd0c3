import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import { tileAt, tileWidth } from "@quorate/tlog/tile";
import type { Tile } from "@quorate/tlog/tile";
import { acceptsGzip } from "./accepts-gzip.ts";
import type { HttpApp } from "./http-app.ts";
import { ProblemError } from "./problem.ts";
import { readTile, type StoredFiles, tileOfPath } from "./stored-tile.ts";

/** A checkpoint that readers may have, as the note that says so. */
export type Published = { readonly note: string; readonly checkpoint: { readonly size: number } };

export type ServedLog = { readonly files: StoredFiles; readonly published: () => Published | undefined };

const compress = promisify(gzip);

/** `GET /checkpoint` and `GET /tile/…` (C2SP tlog-tiles) of a log or a mirror: of what is published and no more. */
export function addLogRoutes(app: HttpApp, { files, published }: ServedLog): void {
  app.addHook("onSend", async (request, reply) => {
    // Proofs are checked in browsers, on pages of any origin.
    if (request.method === "GET" || request.method === "HEAD") reply.header("access-control-allow-origin", "*");
  });
  app.get("/checkpoint", async (_request, reply) => {
    const newest = published();
    if (newest === undefined) {
      throw new ProblemError(503, "not-published", "no checkpoint has the cosignatures it needs yet", {
        headers: { "retry-after": "1", "cache-control": "no-store" },
      });
    }
    return reply.type("text/plain; charset=utf-8").header("cache-control", "public, max-age=1").send(newest.note);
  });
  app.get("/tile/*", async (request, reply) => {
    const tile = tileOfPath(request.url.slice(1));
    const size = published()?.checkpoint.size ?? 0;
    const bytes = tile && (await readPublished(files, tile, size).catch(unreadable));
    if (bytes === undefined) {
      throw new ProblemError(404, "no-such-tile", `the published tree of ${size} entries has no such tile`, {
        headers: { "cache-control": "no-store" },
      });
    }
    reply.type("application/octet-stream").header("cache-control", "public, max-age=31536000, immutable");
    if (tile?.level !== "entries") return reply.send(bytes);
    reply.header("vary", "accept-encoding");
    if (!acceptsGzip(request.headers["accept-encoding"])) return reply.send(bytes);
    return reply.header("content-encoding", "gzip").send(await compress(bytes, { level: constants.Z_BEST_SPEED }));
  });
}

async function readPublished(files: StoredFiles, tile: Tile, size: number): Promise<Uint8Array | undefined> {
  if (tile.index > Number.MAX_SAFE_INTEGER / tileWidth) return undefined;
  const treeWidth = tileAt(tile.level, tile.index, size)?.width ?? 0;
  return tile.width <= treeWidth ? readTile(files, tile, treeWidth) : undefined;
}

function unreadable(cause: unknown): never {
  throw new ProblemError(503, "store-unavailable", "the log's store does not give its tiles; try again", {
    headers: { "retry-after": "5", "cache-control": "no-store" },
    cause,
  });
}
