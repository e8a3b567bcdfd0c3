import type { HttpApp } from "./http-app.ts";

const preflightSeconds = "86400";
const exposed = "etag, last-modified, link, retry-after, ratelimit-limit, ratelimit-remaining, ratelimit-reset";

/**
 * Lets pages of every origin read what is below `/v1/` (Fetch standard, CORS protocol). They cannot write: a preflight names no other method, and
 * no credentials of a browser count.
 */
export function allowCrossOriginReads(app: HttpApp): void {
  app.addHook("onRequest", async ({ url }, reply) => {
    if (!url.startsWith("/v1/")) return;
    void reply.headers({ "access-control-allow-origin": "*", "access-control-expose-headers": exposed });
  });
  app.options("/v1/*", { schema: { hide: true } }, async (_request, reply) =>
    reply
      .code(204)
      .headers({
        "access-control-allow-methods": "GET, HEAD",
        "access-control-allow-headers": "accept, if-none-match, if-modified-since",
        "access-control-max-age": preflightSeconds,
      })
      .send(),
  );
}
