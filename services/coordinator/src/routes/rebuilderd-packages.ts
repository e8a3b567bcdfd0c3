import type { HttpApp } from "@quorate/service/http-app";
import { ProblemError } from "@quorate/service/problem";
import { z } from "zod";
import { filterOf, idParamsSchema, pageOf, pageQuerySchema } from "../rebuilderd/page-query.ts";
import { loadWorkers, publicKeysOf } from "../rebuilderd/rebuilder.ts";
import { binaryPackageOf, dashboardOf, queuedJobOf, sourcePackageOf } from "../rebuilderd/shape-v1.ts";
import {
  binaryPackageSchema,
  dashboardSchema,
  pageSchemaOf,
  publicKeysSchema,
  queuedJobSchema,
  sourcePackageSchema,
  workerSchema,
} from "../rebuilderd/v1-records.ts";
import { loadQueue } from "../store/builds.ts";
import {
  countRebuiltPackages,
  countRebuiltSources,
  countStatuses,
  loadOrigins,
  loadRebuiltPackages,
  loadRebuiltSources,
} from "../store/rebuilds.ts";
import type { RebuilderdDependencies, RebuilderOf } from "./rebuilderd.ts";

const onePage = { limit: 1, sort: "id", descending: false } as const;
const namesSchema = z.array(z.string());
const originSchema = z.object({ distribution: z.string().max(60), release: z.string().max(60).default("-") });

/** Version 1: packages, the queue, and what the rebuilder is. */
export function addRebuilderdPackageRoutes(app: HttpApp, dependencies: RebuilderdDependencies, rebuilderOf: RebuilderOf): void {
  const { db, archiveUrlOf, now } = dependencies;
  const paged = <Item extends z.ZodType>(record: Item) => ({ querystring: pageQuerySchema, response: { 200: pageSchemaOf(record) } });

  app.get("/api/v1/packages/binary", { schema: paged(binaryPackageSchema) }, async (request) => {
    const { says } = await rebuilderOf(request);
    const filter = filterOf(request.query);
    const packages = await loadRebuiltPackages(db, says, filter, pageOf(request.query));
    return { total: await countRebuiltPackages(db, filter), records: packages.map((rebuilt) => binaryPackageOf(rebuilt, archiveUrlOf)) };
  });

  app.get("/api/v1/packages/source", { schema: paged(sourcePackageSchema) }, async (request) => {
    const { says } = await rebuilderOf(request);
    const filter = filterOf(request.query);
    const sources = await loadRebuiltSources(db, says, filter, pageOf(request.query));
    return { total: await countRebuiltSources(db, filter), records: sources.map(sourcePackageOf) };
  });

  app.get(
    "/api/v1/packages/binary/:id",
    { schema: { params: idParamsSchema, response: { 200: binaryPackageSchema } } },
    async (request) => {
      const { says } = await rebuilderOf(request);
      const [rebuilt] = await loadRebuiltPackages(db, says, request.params, onePage);
      return rebuilt ? binaryPackageOf(rebuilt, archiveUrlOf) : refuseUnknown("package", request.params.id);
    },
  );

  app.get(
    "/api/v1/packages/source/:id",
    { schema: { params: idParamsSchema, response: { 200: sourcePackageSchema } } },
    async (request) => {
      const { says } = await rebuilderOf(request);
      const [source] = await loadRebuiltSources(db, says, request.params, onePage);
      return source ? sourcePackageOf(source) : refuseUnknown("source", request.params.id);
    },
  );

  app.get("/api/v1/queue", { schema: paged(queuedJobSchema) }, async (request) => {
    const { says } = await rebuilderOf(request);
    const queue = await loadQueue(db, says, filterOf(request.query));
    const { limit, after, descending } = pageOf(request.query);
    const ordered = descending ? queue.toReversed() : queue;
    const rest = after === undefined ? ordered : ordered.filter(({ id }) => (descending ? id < after : id > after));
    return { total: queue.length, records: rest.slice(0, limit).map((job) => queuedJobOf(job, archiveUrlOf)) };
  });

  app.get("/api/v1/workers", { schema: paged(workerSchema) }, async (request) => {
    const workers = await loadWorkers(db, await rebuilderOf(request), now());
    const { after, limit } = pageOf(request.query);
    return { total: workers.length, records: workers.filter(({ id }) => after === undefined || id > after).slice(0, limit) };
  });

  app.get("/api/v1/dashboard", { schema: { response: { 200: dashboardSchema } } }, async (request) => {
    const { says } = await rebuilderOf(request);
    return dashboardOf((await countStatuses(db, says)).values(), await loadQueue(db, says, {}));
  });

  app.get("/api/v1/meta/public-keys", { schema: { response: { 200: publicKeysSchema } } }, async (request) => ({
    current: publicKeysOf(await rebuilderOf(request)),
  }));

  app.get("/api/v1/meta/distributions", { schema: { response: { 200: namesSchema } } }, async () =>
    distinct((await loadOrigins(db)).map(({ distribution }) => distribution)),
  );

  const originsOf = async ({ distribution, release }: z.infer<typeof originSchema>) =>
    (await loadOrigins(db)).filter((origin) => origin.distribution === distribution && (release === "-" || origin.suite === release));

  app.get("/api/v1/meta/distributions/:distribution/releases", { schema: { params: originSchema } }, async ({ params }) =>
    distinct((await originsOf(params)).map(({ suite }) => suite)),
  );
  for (const url of [
    "/api/v1/meta/distributions/:distribution/architectures",
    "/api/v1/meta/distributions/:distribution/releases/:release/architectures",
  ]) {
    app.get(url, { schema: { params: originSchema } }, async ({ params }) =>
      distinct((await originsOf(params)).map(({ architecture }) => architecture)),
    );
  }
}

const distinct = (names: readonly string[]): string[] => [...new Set(names)];

function refuseUnknown(what: string, id: number): never {
  throw new ProblemError(404, "not-found", `there is no ${what} ${id} here; GET /api/v1/packages/binary lists what there is`);
}
