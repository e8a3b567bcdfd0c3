import { gzipSync } from "node:zlib";
import { acceptsGzip } from "@quorate/service/accepts-gzip";
import { isNotModified, tagOf, validatorHeaders } from "@quorate/service/not-modified";
import type { FastifyReply, FastifyRequest } from "fastify";

type Content = {
  readonly text: string;
  readonly lastModified?: Date | undefined;
  /** The text has in it what the request said of itself, and is for nobody else. */
  readonly isOfRequest?: boolean;
};

/** Sends what may be kept for a minute, and is asked for again with its tag. */
export function sendKept(request: FastifyRequest, reply: FastifyReply, { text, lastModified, isOfRequest = false }: Content): FastifyReply {
  const etag = `W/${tagOf(text)}`;
  void reply.headers({
    ...validatorHeaders({ etag, lastModified }),
    "cache-control": `${isOfRequest ? "private" : "public"}, max-age=60`,
    vary: isOfRequest ? "accept-encoding, host" : "accept-encoding",
  });
  if (isNotModified(request.headers, { etag, lastModified })) return reply.code(304).send();
  if (!acceptsGzip(request.headers["accept-encoding"])) return reply.send(text);
  return reply.header("content-encoding", "gzip").send(gzipSync(text));
}
