import type { Readable } from "node:stream";
import type { HttpApp } from "@quorate/service/http-app";
import { ProblemError } from "@quorate/service/problem";
import { keysAt } from "@quorate/verdict/enrolled";
import { z } from "zod";
import type { BlobStore } from "../blob-store.ts";
import { linkedFiles, loadLinks } from "../links.ts";
import { filterOf, idParamsSchema, idSchema, pageOf, pageQuerySchema } from "../rebuilderd/page-query.ts";
import { artifactsOf, buildOf } from "../rebuilderd/shape-v1.ts";
import { artifactSchema, buildSchema, pageSchemaOf } from "../rebuilderd/v1-records.ts";
import { countBuilds, findBuild, loadBuilds, type StoredBuild } from "../store/builds.ts";
import { findOperator } from "../store/operators.ts";
import { loadArtifactIds } from "../store/published-artifacts.ts";
import type { RebuilderdDependencies, RebuilderOf } from "./rebuilderd.ts";

const artifactParamsSchema = idParamsSchema.extend({ artifact: idSchema });

/** A page of builds reads as many results as it has records. */
const maxBuilds = 200;

/** Version 1: builds, which are results in the log, with their logs and attestations. */
export function addRebuilderdBuildRoutes(app: HttpApp, { db, blobs }: RebuilderdDependencies, rebuilderOf: RebuilderOf): void {
  const requireBuild = async (request: { hostname: string; params: { id: number } }): Promise<StoredBuild> => {
    const { says } = await rebuilderOf(request);
    const build = await findBuild({ db, blobs }, says, request.params.id);
    return build ?? refuse(`there is no build ${request.params.id} here; GET /api/v1/builds lists those that there are`);
  };

  const artifactsIn = async (build: StoredBuild) => {
    const links = await loadLinks(blobs, build.result);
    const operator = await findOperator(db, build.operator);
    const linked = operator ? linkedFiles(build.result, links, keysAt(operator, build.id)) : new Set<string>();
    return { links, artifacts: artifactsOf(build, { ids: await loadArtifactIds(db, build.target), linked }) };
  };

  const requireArtifact = async (request: { hostname: string; params: { id: number; artifact: number } }) => {
    const { links, artifacts } = await artifactsIn(await requireBuild(request));
    const artifact = artifacts.find(({ id }) => id === request.params.artifact);
    return { links, artifact: artifact ?? refuse(`build ${request.params.id} has no artifact ${request.params.artifact}`) };
  };

  app.get("/api/v1/builds", { schema: { querystring: pageQuerySchema, response: { 200: pageSchemaOf(buildSchema) } } }, async (request) => {
    const { says } = await rebuilderOf(request);
    const filter = filterOf(request.query);
    const page = pageOf(request.query);
    const builds = await loadBuilds({ db, blobs }, says, filter, { ...page, limit: Math.min(page.limit, maxBuilds) });
    return { total: await countBuilds(db, says, filter), records: builds.map(buildOf) };
  });

  app.get("/api/v1/builds/:id", { schema: { params: idParamsSchema, response: { 200: buildSchema } } }, async (request) =>
    buildOf(await requireBuild(request)),
  );

  app.get("/api/v1/builds/:id/log", { schema: { params: idParamsSchema } }, async (request, reply) =>
    reply.headers(logHeaders).send(await openBuildLog(blobs, await requireBuild(request))),
  );

  app.get(
    "/api/v1/builds/:id/artifacts",
    { schema: { params: idParamsSchema, response: { 200: z.array(artifactSchema) } } },
    async (request) => (await artifactsIn(await requireBuild(request))).artifacts,
  );

  app.get(
    "/api/v1/builds/:id/artifacts/:artifact",
    { schema: { params: artifactParamsSchema, response: { 200: artifactSchema } } },
    async (request) => {
      const { artifact } = await requireArtifact(request);
      return artifact;
    },
  );

  app.get("/api/v1/builds/:id/artifacts/:artifact/attestation", { schema: { params: artifactParamsSchema } }, async (request, reply) => {
    const { links, artifact } = await requireArtifact(request);
    const link = artifact.has_attestation ? links.get(artifact.name) : undefined;
    return reply.type("application/json").send(link ?? refuse(`the operator signed no in-toto link for ${artifact.name}`));
  });

  app.get("/api/v1/builds/:id/artifacts/:artifact/diffoscope", { schema: { params: artifactParamsSchema } }, async (request) => {
    const { artifact } = await requireArtifact(request);
    return refuse(`operators of this network make no diffoscope report of ${artifact.name}; compare the manifests`);
  });
}

/** Text of a stranger: never to be shown as a page of this site. */
export const logHeaders = { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" };

/** @throws ProblemError when there is none */
export async function openBuildLog(blobs: BlobStore, { id, result }: StoredBuild): Promise<Readable> {
  const log = result.byproducts.find(({ kind }) => kind === "build-log");
  const content = log && (await blobs.read(log.sha256));
  return content ?? refuse(`build ${id} has no log`);
}

export function refuse(detail: string): never {
  throw new ProblemError(404, "not-found", detail);
}
