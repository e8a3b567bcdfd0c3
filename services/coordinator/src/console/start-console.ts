import { readFile } from "node:fs/promises";
import type { IncomingHttpHeaders } from "node:http";
import { createBullBoard } from "@bull-board/api";
import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import { FastifyAdapter } from "@bull-board/fastify";
import basicAuth from "@fastify/basic-auth";
import { sha256Schema } from "@quorate/protocol/digest";
import { tokenMatcher } from "@quorate/service/bearer";
import { createHttpApp, type HttpApp } from "@quorate/service/http-app";
import { listen } from "@quorate/service/listen";
import type { Logger } from "@quorate/service/logger";
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

const pagePolicy = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/** The queues' pages are a program of their own, with styles in its elements. */
const queuesPolicy =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'self'; frame-ancestors 'none'";

/** Serves the console of whoever runs the network: its password is the admin token, the user name says who it is. */
export async function startConsole(options: ConsoleOptions): Promise<AsyncDisposable & { url: string }> {
  const app = createHttpApp({ logger: options.logger, bodyLimitBytes: 10_000 });
  await guard(app, options.adminToken);
  const css = await readFile(new URL("console.css", import.meta.url));
  app.get("/console.css", async (_request, reply) => reply.type("text/css; charset=utf-8").send(css));
  addOverviewRoutes(app, options.sources);
  addActionRoutes(app, options.actions);
  await addQueues(app, options.queue);
  const url = await listen(app, options.address);
  return { url, [Symbol.asyncDispose]: () => app.close() };
}

/** Nothing without the password; no change on behalf of another site's page, whose requests browsers give the password too. */
async function guard(app: HttpApp, adminToken: string): Promise<void> {
  const matches = tokenMatcher(adminToken);
  await app.register(basicAuth, {
    authenticate: { realm: "Quorate console" },
    async validate(_name, password) {
      if (!matches(password)) throw new ProblemError(401, "unauthorized", "the console's password is the network's ADMIN_TOKEN");
    },
  });
  app.addHook("onRequest", app.basicAuth);
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
}

function addOverviewRoutes(app: HttpApp, sources: OverviewSources): void {
  app.get("/", async (_request, reply) =>
    reply.type("text/html; charset=utf-8").send(consolePage(await loadOverview(sources), sources.now())),
  );
  app.get("/overview.json", async (): Promise<ConsoleOverview> => loadOverview(sources));
}

/** Forms are answered with the console itself, as it is then. */
function addActionRoutes(app: HttpApp, actions: ConsoleActions): void {
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

/** Who asks, as they call themselves: the password is one for all who run the network. */
function actorOf({ headers }: { headers: IncomingHttpHeaders }): string {
  const name = Buffer.from(headers.authorization?.split(" ")[1] ?? "", "base64")
    .toString("utf8")
    .split(":")[0];
  return `console: ${name === undefined || name === "" ? "no name" : name.slice(0, 80)}`;
}

async function addQueues(app: HttpApp, queue: Queue): Promise<void> {
  const serverAdapter = new FastifyAdapter();
  serverAdapter.setBasePath("/queues");
  createBullBoard({ queues: [new BullMQAdapter(queue, { readOnlyMode: true })], serverAdapter });
  await app.register(serverAdapter.registerPlugin(), { prefix: "/queues" });
}
