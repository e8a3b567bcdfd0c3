import { readFile } from "node:fs/promises";
import { createBullBoard } from "@bull-board/api";
import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import { FastifyAdapter } from "@bull-board/fastify";
import { sha256Schema } from "@quorate/protocol/digest";
import { createHttpApp, type HttpApp } from "@quorate/service/http-app";
import { listen } from "@quorate/service/listen";
import type { Logger } from "@quorate/service/logger";
import { addPassword } from "@quorate/service/password";
import { ProblemError } from "@quorate/service/problem";
import type { Queue } from "bullmq";
import { z } from "zod";
import { type ConsoleActions, modeActions } from "./console-actions.ts";
import { type ConsoleOverview, loadOverview, type OverviewSources } from "./console-overview.ts";
import { consolePage } from "./console-page.ts";

export type ConsoleOptions = {
  address: { host: string; port: number };
  adminToken: string;
  logger: Logger;
  queue: Queue;
  actions: ConsoleActions;
  sources: OverviewSources;
};

/** Who asks, as they call themselves: the password is one for all who run the network. */
type ActorOf = (request: Parameters<Awaited<ReturnType<typeof addPassword>>["nameOf"]>[0]) => string;

const pagePolicy = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/** The queues' pages are a program of their own, with styles in its elements. */
const queuesPolicy =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'self'; frame-ancestors 'none'";

/** Serves the console of whoever runs the network: its password is the admin token, the user name says who it is. */
export async function startConsole(options: ConsoleOptions): Promise<AsyncDisposable & { url: string }> {
  const app = createHttpApp({ logger: options.logger, bodyLimitBytes: 10_000 });
  const actorOf = await guard(app, options.adminToken);
  const css = await readFile(new URL("console.css", import.meta.url));
  app.get("/console.css", async (_request, reply) => reply.type("text/css; charset=utf-8").send(css));
  addOverviewRoutes(app, options.sources);
  addActionRoutes(app, options.actions, actorOf);
  await addQueues(app, options.queue);
  const url = await listen(app, options.address);
  return { url, [Symbol.asyncDispose]: () => app.close() };
}

/** Nothing without the password; no change on behalf of another site's page, whose requests browsers give the password too. */
async function guard(app: HttpApp, adminToken: string): Promise<ActorOf> {
  const { onRequest, nameOf } = await addPassword(app, {
    realm: "Quorate console",
    password: adminToken,
    hint: "the console's password is the network's ADMIN_TOKEN",
  });
  app.addHook("onRequest", onRequest);
  app.addHook("onRequest", async ({ method, headers }) => {
    if (method === "GET" || method === "HEAD" || headers.origin === undefined) return;
    if (!URL.canParse(headers.origin) || new URL(headers.origin).host !== headers.host)
      throw new ProblemError(403, "cross-site", "this came from the page of another site, and the console changes nothing for it");
  });
  app.addHook("onSend", async ({ url }, reply) => {
    reply.headers({
      "content-security-policy": url.startsWith("/queues") ? queuesPolicy : pagePolicy,
      "referrer-policy": "same-origin",
      "x-content-type-options": "nosniff",
      ...(!url.startsWith("/queues/static/") && { "cache-control": "no-store" }),
    });
  });
  return (request) => `console: ${nameOf(request).slice(0, 80) || "no name"}`;
}

function addOverviewRoutes(app: HttpApp, sources: OverviewSources): void {
  app.get("/", async (_request, reply) =>
    reply.type("text/html; charset=utf-8").send(consolePage(await loadOverview(sources), sources.now())),
  );
  app.get("/overview.json", async (): Promise<ConsoleOverview> => loadOverview(sources));
}

/** Forms are answered with the console itself, as it is then. */
function addActionRoutes(app: HttpApp, actions: ConsoleActions, actorOf: ActorOf): void {
  app.addContentTypeParser("application/x-www-form-urlencoded", { parseAs: "string" }, (_request, _body, done) => done(null, undefined));
  for (const action of modeActions)
    app.post(`/${action}`, async (request, reply) => {
      await actions.changeMode(action, actorOf(request));
      return reply.redirect("/", 303);
    });
  app.post("/rounds/:round/retry", { schema: { params: z.object({ round: sha256Schema }) } }, async (request, reply) => {
    await actions.retry(request.params.round, actorOf(request));
    return reply.redirect("/", 303);
  });
}

async function addQueues(app: HttpApp, queue: Queue): Promise<void> {
  const serverAdapter = new FastifyAdapter();
  serverAdapter.setBasePath("/queues");
  createBullBoard({ queues: [new BullMQAdapter(queue, { readOnlyMode: true })], serverAdapter });
  await app.register(serverAdapter.registerPlugin(), { prefix: "/queues" });
}
