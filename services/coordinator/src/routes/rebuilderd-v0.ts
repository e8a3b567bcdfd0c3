import type { HttpApp } from "@quorate/service/http-app";
import { z } from "zod";
import { loadLinks } from "../links.ts";
import { formatNaiveTime } from "../rebuilderd/naive-time.ts";
import { idParamsSchema } from "../rebuilderd/page-query.ts";
import { loadWorkers, publicKeysOf } from "../rebuilderd/rebuilder.ts";
import { dashboardV0Of, packageReleaseOf, queueItemOf } from "../rebuilderd/shape-v0.ts";
import { dashboardV0Schema, packageReleaseSchema, queueListSchema } from "../rebuilderd/v0-records.ts";
import { publicKeysSchema, workerSchema } from "../rebuilderd/v1-records.ts";
import { findBuild, loadQueue } from "../store/builds.ts";
import { countStatuses, findLastChange, loadRebuiltPackages } from "../store/rebuilds.ts";
import { logHeaders, openBuildLog, refuse } from "./rebuilderd-builds.ts";
import type { RebuilderdDependencies, RebuilderOf } from "./rebuilderd.ts";

const text = z.string().max(200).optional();
const listQuerySchema = z.object({
  name: text,
  distro: text,
  suite: text,
  architecture: text,
  status: z.enum(["GOOD", "BAD", "UNKWN"]).optional(),
});
const queueQuerySchema = z.looseObject({ limit: z.int().min(0).nullish() });

/** Version 0. */
export function addRebuilderdV0Routes(app: HttpApp, dependencies: RebuilderdDependencies, rebuilderOf: RebuilderOf): void {
  const { db, blobs, archiveUrlOf, now } = dependencies;

  app.get(
    "/api/v0/pkgs/list",
    { schema: { querystring: listQuerySchema, response: { 200: z.array(packageReleaseSchema), 304: z.undefined() } } },
    async (request, reply) => {
      const { says } = await rebuilderOf(request);
      const { name, distro, suite, architecture, status } = request.query;
      const changedAt = await findLastChange(db, says);
      // The header counts in seconds: of the second that is not over yet it cannot tell.
      if (changedAt && now().getTime() - changedAt.getTime() > 1000) {
        void reply.header("last-modified", changedAt.toUTCString());
        if (!isNewer(changedAt, request.headers["if-modified-since"])) return reply.code(304).send(undefined);
      }
      const packages = await loadRebuiltPackages(db, says, { name, distribution: distro, component: suite, architecture });
      const releases = packages.map((rebuilt) => packageReleaseOf(rebuilt, archiveUrlOf));
      return status === undefined ? releases : releases.filter((release) => release.status === status);
    },
  );

  const loadQueueItems = async (request: { hostname: string }) => {
    const { says } = await rebuilderOf(request);
    return (await loadQueue(db, says, {})).map((build) => queueItemOf(build, archiveUrlOf));
  };

  app.post("/api/v0/queue/list", { schema: { body: queueQuerySchema, response: { 200: queueListSchema } } }, async (request) => ({
    now: formatNaiveTime(now()),
    queue: (await loadQueueItems(request)).slice(0, request.body.limit ?? undefined),
  }));

  app.get("/api/v0/dashboard", { schema: { response: { 200: dashboardV0Schema } } }, async (request) => {
    const { says } = await rebuilderOf(request);
    return dashboardV0Of(await countStatuses(db, says), await loadQueueItems(request), now());
  });

  app.get("/api/v0/workers", { schema: { response: { 200: z.array(workerSchema) } } }, async (request) =>
    loadWorkers(db, await rebuilderOf(request), now()),
  );

  app.get("/api/v0/public-keys", { schema: { response: { 200: publicKeysSchema } } }, async (request) => ({
    current: publicKeysOf(await rebuilderOf(request)),
  }));

  /** A build of version 0 is one package file. */
  const requireBuild = async (request: { hostname: string; params: { id: number } }) => {
    const { says } = await rebuilderOf(request);
    const [rebuilt] = await loadRebuiltPackages(db, says, request.params);
    const build = rebuilt?.result && (await findBuild({ db, blobs }, says, rebuilt.result.index));
    return build && rebuilt ? { build, rebuilt } : refuse(`there is no build ${request.params.id} here; GET /api/v0/pkgs/list lists them`);
  };

  app.get("/api/v0/builds/:id/log", { schema: { params: idParamsSchema } }, async (request, reply) =>
    reply.headers(logHeaders).send(await openBuildLog(blobs, (await requireBuild(request)).build)),
  );

  app.get("/api/v0/builds/:id/attestation", { schema: { params: idParamsSchema } }, async (request, reply) => {
    const { build, rebuilt } = await requireBuild(request);
    const file = rebuilt.path.split("/").at(-1) ?? "";
    const link = rebuilt.result?.linked === true ? (await loadLinks(blobs, build.result)).get(file) : undefined;
    return reply.type("application/json").send(link ?? refuse(`the operator signed no in-toto link for ${file}`));
  });

  app.get("/api/v0/builds/:id/diffoscope", { schema: { params: idParamsSchema } }, async (request) => {
    await requireBuild(request);
    return refuse("operators of this network make no diffoscope reports; compare the manifests");
  });
}

function isNewer(changedAt: Date, since: string | undefined): boolean {
  const known = since === undefined ? Number.NaN : Date.parse(since);
  return Number.isNaN(known) || Math.floor(changedAt.getTime() / 1000) * 1000 > known;
}
