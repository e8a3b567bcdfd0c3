import { acceptsGzip } from "@quorate/service/accepts-gzip";
import type { HttpApp } from "@quorate/service/http-app";
import { isNotModified } from "@quorate/service/not-modified";
import { ProblemError } from "@quorate/service/problem";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Assets } from "./assets.ts";
import { type Page, formatPage } from "./page.ts";
import { PageCache } from "./page-cache.ts";
import { errorPage } from "./pages/error-page.ts";
import type { SiteState } from "./site-state.ts";

/** No script or style but the site's own files, and no request to anybody else. */
const contentSecurityPolicy = [
  "default-src 'none'",
  ...["script-src", "style-src", "img-src", "connect-src", "form-action"].map((directive) => `${directive} 'self'`),
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

const securityHeaders = {
  "content-security-policy": contentSecurityPolicy,
  "cross-origin-opener-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
  "referrer-policy": "same-origin",
  "x-content-type-options": "nosniff",
};

const immutable = "public, max-age=31536000, immutable";

/** Sends what `render` gives as a page; a ProblemError becomes a page too. */
export type SendPage = (request: FastifyRequest, reply: FastifyReply, render: () => Page | Promise<Page>) => Promise<FastifyReply>;

export function createSendPage({ assets, state }: { assets: Assets; state: () => SiteState }): SendPage {
  const cache = new PageCache();
  return async (request, reply, render) => {
    const now = state();
    const version = `${now.size} ${now.opened} ${now.unreachableSince?.getTime() ?? ""}`;
    const page = await cache.load(request.url, version, async () => {
      const rendered = await Promise.resolve().then(render).catch(errorPageOf);
      return {
        status: rendered.status ?? 200,
        isMomentary: rendered.isMomentary ?? false,
        markup: formatPage(rendered, { state: now, assets: assets.urls }),
      };
    });
    // What is shown may be a second old, and is asked for again with its tag.
    reply.headers({ etag: page.etag, "cache-control": "public, max-age=1", vary: "accept-encoding" });
    if (page.status === 200 && isNotModified(request.headers, page)) return reply.code(304).send();
    return send(request, reply.code(page.status).type("text/html; charset=utf-8"), page);
  };
}

/** Sends what `render` gives as a page for this reader alone; a ProblemError becomes a page too. */
export type SendPrivatePage = (reply: FastifyReply, render: () => Page | Promise<Page>) => Promise<FastifyReply>;

/** Nothing keeps it on the way. It is not compressed: the length of what is, beside what others chose, says something of it. */
export function createSendPrivatePage({ assets, state }: { assets: Assets; state: () => SiteState }): SendPrivatePage {
  return async (reply, render) => {
    const page = await Promise.resolve().then(render).catch(errorPageOf);
    const markup = formatPage(page, { state: state(), assets: assets.urls });
    return reply
      .code(page.status ?? 200)
      .type("text/html; charset=utf-8")
      .header("cache-control", "no-store")
      .send(markup);
  };
}

export function addSecurityHeaders(app: HttpApp): void {
  app.addHook("onRequest", async (_request, reply) => void reply.headers(securityHeaders));
}

export function addAssetRoutes(app: HttpApp, { all }: Assets): void {
  for (const asset of all) {
    app.get(asset.path, async (request, reply) =>
      send(request, reply.type(asset.mediaType).headers({ "cache-control": immutable, vary: "accept-encoding" }), asset),
    );
  }
}

function send(request: FastifyRequest, reply: FastifyReply, { body, compressed }: { body: Buffer; compressed: Buffer }): FastifyReply {
  if (!acceptsGzip(request.headers["accept-encoding"])) return reply.send(body);
  return reply.header("content-encoding", "gzip").send(compressed);
}

function errorPageOf(error: unknown): Page {
  if (!(error instanceof ProblemError)) throw error;
  return errorPage({ status: error.status, title: error.problem.title, detail: error.message });
}
