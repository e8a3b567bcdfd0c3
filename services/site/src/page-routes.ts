import { setTimeout as delay } from "node:timers/promises";
import { type Sha256, sha256Schema } from "@quorate/protocol/digest";
import { packageNameSchema, packageVersionSchema } from "@quorate/protocol/names";
import type { HttpApp } from "@quorate/service/http-app";
import { ProblemError } from "@quorate/service/problem";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { findArtifact } from "./artifact-facts.ts";
import type { LiveView } from "./live-rounds.ts";
import { listSuites, listTargets } from "./network-facts.ts";
import { listOperators } from "./operator-facts.ts";
import { findFile, listNames, listPackage } from "./package-facts.ts";
import { artifactPage } from "./pages/artifact-page.ts";
import { homePage } from "./pages/home-page.ts";
import { artifactPath, entryPath, operatorPath, packagePath } from "./pages/links.ts";
import { packagePage } from "./pages/package-page.ts";
import { searchPage } from "./pages/search-page.ts";
import type { ReadModel } from "./read-model.ts";
import type { SendPage } from "./routes.ts";
import { maxQueryCharacters, parseSearchQuery } from "./search-query.ts";
import { listSuggestions } from "./suggestions.ts";

const newsLines = 8;
const suggestedNames = 40;
const suggestedPages = 8;
const livePatienceMilliseconds = 300;

type Dependencies = { model: ReadModel; loadLive: () => Promise<LiveView>; sendPage: SendPage };

/** Home, search, packages and artifacts: all from the read model. */
export function addPageRoutes(app: HttpApp, { model, loadLive, sendPage }: Dependencies): void {
  app.get("/", (request, reply) =>
    sendPage(request, reply, async () =>
      homePage({
        live: await soon(loadLive()),
        logSize: model.readTo().size,
        suites: listSuites(model),
        operators: listOperators(model),
        mismatches: listTargets(model, "mismatch", newsLines),
        reproduced: listTargets(model, "reproduced", newsLines),
      }),
    ),
  );

  app.get("/search", async (request, reply) => {
    const { q } = z.object({ q: z.string().max(4000).catch("").default("") }).parse(request.query);
    const path = foundPath(model, q);
    return path === undefined ? sendPage(request, reply, () => nothingFound(model, q)) : reply.redirect(path, 303);
  });

  app.get("/search/suggestions", async (request, reply) => {
    const { q } = z.object({ q: z.string().max(maxQueryCharacters).catch("").default("") }).parse(request.query);
    return reply.header("cache-control", "public, max-age=5").send({ suggestions: listSuggestions(model, q, suggestedPages) });
  });

  app.get("/package/:name", { schema: { params: z.object({ name: z.string() }) } }, (request, reply) =>
    sendPackage(request, reply, request.params),
  );
  app.get("/package/:name/:version", { schema: { params: z.object({ name: z.string(), version: z.string() }) } }, (request, reply) =>
    sendPackage(request, reply, request.params),
  );

  app.get("/artifact/:sha256", { schema: { params: z.object({ sha256: z.string() }) } }, (request, reply) =>
    sendPage(request, reply, () => artifactPage(requireArtifact(model, request.params.sha256))),
  );

  async function sendPackage(request: FastifyRequest, reply: FastifyReply, { name, version }: { name: string; version?: string }) {
    return sendPage(request, reply, () => {
      const isNamed = packageNameSchema.safeParse(name).success && packageVersionSchema.optional().safeParse(version).success;
      const lines = isNamed ? listPackage(model, name, version) : [];
      if (lines.length === 0) {
        throw new ProblemError(404, "not-found", `Nothing is known here of a package of this name${version && " and version"}.`);
      }
      return packagePage({ name, lines, ...(version !== undefined && { version }) });
    });
  }
}

/** What is being rebuilt, or undefined: nobody waits for a coordinator that is slow to answer. */
async function soon(view: Promise<LiveView>): Promise<LiveView> {
  const timer = new AbortController();
  const late = delay(livePatienceMilliseconds, undefined, { signal: timer.signal }).catch(() => undefined);
  return Promise.race([view, late]).finally(() => timer.abort());
}

/** @throws ProblemError */
export function requireArtifact(model: ReadModel, text: string) {
  const sha256 = sha256Schema.safeParse(text);
  const facts = sha256.success ? findArtifact(model, sha256.data) : undefined;
  if (facts !== undefined) return facts;
  throw new ProblemError(
    404,
    "not-found",
    "No artifact with this SHA-256 has been submitted to this network, and none was built by its operators.",
  );
}

/** The one page that a search means, if there is one. */
function foundPath(model: ReadModel, text: string): string | undefined {
  const query = parseSearchQuery(text);
  switch (query.kind) {
    case "digest":
      return findArtifact(model, query.sha256) && artifactPath(query.sha256);
    case "operator":
      return listOperators(model).some(({ id }) => id === query.operator) ? operatorPath(query.operator) : undefined;
    case "entry":
      return query.index < model.readTo().size ? entryPath(query.index) : undefined;
    case "file":
      return onlyPath(findFile(model, query.file, query.name).map(({ sha256 }) => sha256)) ?? foundPackage(model, query.name);
    case "package":
      return foundPackage(model, query.name, query.version) ?? foundPackage(model, query.name);
    default:
      return undefined;
  }
}

function onlyPath(digests: readonly Sha256[]): string | undefined {
  const [only, ...others] = new Set(digests);
  return only === undefined || others.length > 0 ? undefined : artifactPath(only);
}

function foundPackage(model: ReadModel, name: string, version?: string): string | undefined {
  const lines = listPackage(model, name, version);
  if (lines.length === 0) return undefined;
  const only = version === undefined ? undefined : onlyPath(lines.map(({ sha256 }) => sha256));
  return only ?? packagePath(name, version);
}

function nothingFound(model: ReadModel, text: string) {
  const query = parseSearchQuery(text);
  const names = query.kind === "package" || query.kind === "file" ? listNames(model, query.name, suggestedNames) : [];
  return searchPage({ query: text, names, ...(query.kind === "unknown" && { reason: query.reason }) });
}
