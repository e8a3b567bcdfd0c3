import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import { maxEntryBytes } from "@quorate/protocol/entry";
import { requireBearer } from "@quorate/service/bearer";
import type { HttpApp } from "@quorate/service/http-app";
import { ProblemError } from "@quorate/service/problem";
import { tileAt, tileWidth } from "@quorate/tlog/tile";
import type { Tile } from "@quorate/tlog/tile";
import { z } from "zod";
import { acceptsGzip } from "./accepts-gzip.ts";
import { appendEntry, waitUntilPublished } from "./append-entry.ts";
import type { AppendDependencies } from "./append-entry.ts";
import { readTile, tileOfPath } from "./tile-store.ts";

const addSchema = {
  headers: z.looseObject({
    "idempotency-key": z.string().regex(/^[!-~]{1,200}$/, "must be 1 to 200 printable ASCII characters without spaces"),
  }),
  querystring: z.object({ wait: z.enum(["sequenced", "published"]).default("published") }),
};

/** `POST /add`: appends the body as an entry. */
export function addAppendRoute(app: HttpApp, token: string, dependencies: AppendDependencies): void {
  app.addContentTypeParser("application/octet-stream", { parseAs: "buffer", bodyLimit: maxEntryBytes }, (_request, body, done) =>
    done(null, body),
  );
  app.post("/add", { schema: addSchema, onRequest: requireBearer(token), bodyLimit: maxEntryBytes }, async (request, reply) => {
    const { body, query, headers } = request;
    if (!(body instanceof Uint8Array) || body.length === 0) {
      throw new ProblemError(400, "invalid-request", `send the entry, 1 to ${maxEntryBytes} bytes, as application/octet-stream`);
    }
    const appended = await appendEntry(headers["idempotency-key"], body, dependencies);
    const { index, leafHash, duplicate } = appended;
    const answer = { index, leafHash: Buffer.from(leafHash).toString("hex"), duplicate };
    if (query.wait === "sequenced") return reply.send(answer);
    const published = await waitUntilPublished(appended, dependencies.publisher);
    return reply.send({ ...answer, checkpoint: published.note });
  });
}

const compress = promisify(gzip);

/** `GET /checkpoint` and `GET /tile/…` (C2SP tlog-tiles), of what is published and no more. */
export function addReadRoutes(app: HttpApp, { publisher, store }: Pick<AppendDependencies, "publisher" | "store">): void {
  app.addHook("onSend", async (request, reply) => {
    // Proofs are checked in browsers, on pages of any origin.
    if (request.method === "GET" || request.method === "HEAD") reply.header("access-control-allow-origin", "*");
  });
  app.get("/checkpoint", async (_request, reply) => {
    const { published } = publisher;
    if (published === undefined) {
      throw new ProblemError(503, "not-published", "no checkpoint has the cosignatures it needs yet", {
        headers: { "retry-after": "1", "cache-control": "no-store" },
      });
    }
    return reply.type("text/plain; charset=utf-8").header("cache-control", "public, max-age=1").send(published.note);
  });
  app.get("/tile/*", async (request, reply) => {
    const tile = tileOfPath(request.url.slice(1));
    const size = publisher.published?.checkpoint.size ?? 0;
    const bytes = tile !== undefined && isInTree(tile, size) ? await readTile(store, tile) : undefined;
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

function isInTree({ level, index, width }: Tile, size: number): boolean {
  if (index > Number.MAX_SAFE_INTEGER / tileWidth) return false;
  return width <= (tileAt(level, index, size)?.width ?? 0);
}
