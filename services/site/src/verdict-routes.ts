import { pipeline, Readable } from "node:stream";
import { constants, createGzip } from "node:zlib";
import { verdictPageSchema } from "@quorate/protocol/verdict-line";
import { acceptsGzip } from "@quorate/service/accepts-gzip";
import type { HttpApp } from "@quorate/service/http-app";
import { isNotModified, validatorHeaders, type Validators } from "@quorate/service/not-modified";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { entryIndexSchema } from "./entry-index.ts";
import type { ReadModel } from "./read-model.ts";
import type { SiteState } from "./site-state.ts";
import { eachVerdictBatch, loadVerdictSlice } from "./verdict-lines.ts";

const defaultLimit = 1000;
const maxLimit = 10_000;
const ndjson = "application/x-ndjson";

const querySchema = z.strictObject({
  since: entryIndexSchema.default(0).describe("verdicts of this log index and later"),
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(maxLimit)
    .default(defaultLimit)
    .describe("at most so many, and those that became known with the last"),
});

type Dependencies = { model: ReadModel; state: () => SiteState };

/** `/v1/verdicts`: all verdicts from an index on, page by page as JSON, or at once as lines of JSON. */
export function addVerdictRoutes(app: HttpApp, { model, state }: Dependencies): void {
  app.get(
    "/v1/verdicts",
    {
      schema: {
        summary: "Every verdict from a log index on, page by page, or at once as lines",
        produces: [ndjson],
        querystring: querySchema,
        response: { 200: verdictPageSchema, 304: z.undefined() },
      },
    },
    async (request, reply) => {
      const isStream = (request.headers.accept ?? "").includes(ndjson);
      const { since, limit } = request.query;
      const { size, treeSize, witnesses } = state();
      const unopened = model.countUnopened();
      const seconds = Math.max(0, ...witnesses.map(({ time }) => time));
      const validators: Validators = {
        etag: `W/"${isStream ? "lines" : "page"}-${size}-${unopened}"`,
        // A checkpoint's time says nothing as long as more may be read under it.
        lastModified: size < treeSize || unopened > 0 || seconds === 0 ? undefined : new Date(seconds * 1000),
      };
      void reply.headers({ ...validatorHeaders(validators), "cache-control": "public, max-age=1", vary: "accept, accept-encoding" });
      if (isNotModified(request.headers, validators)) return reply.code(304).send(undefined);
      if (isStream) {
        void reply.type(ndjson).header("link", `</v1/verdicts?since=${size}>; rel="next"`);
        return sendChunks(request, reply, linesOf(eachVerdictBatch(model, since)));
      }
      const { lines, next } = loadVerdictSlice(model, since, limit);
      void reply.type("application/json; charset=utf-8").header("link", `</v1/verdicts?since=${next}&limit=${limit}>; rel="next"`);
      return sendChunks(request, reply, [`{"verdicts":[${lines.join(",")}],"next":${next},"size":${size}}`]);
    },
  );
}

function* linesOf(batches: Iterable<readonly string[]>): Generator<string> {
  for (const lines of batches) yield `${lines.join("\n")}\n`;
}

/** Reads no further than the client does. */
function sendChunks(request: FastifyRequest, reply: FastifyReply, chunks: Iterable<string>): FastifyReply {
  const content = Readable.from(chunks);
  if (!acceptsGzip(request.headers["accept-encoding"])) return reply.send(content);
  const compressed = createGzip({ level: constants.Z_BEST_SPEED });
  // Whoever goes away ends both; fastify logs what else goes wrong.
  pipeline(content, compressed, () => undefined);
  return reply.header("content-encoding", "gzip").send(compressed);
}
