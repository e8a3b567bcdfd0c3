import { createZstdDecompress } from "node:zlib";
import type { HttpApp } from "@quorate/service/http-app";
import { ProblemError } from "@quorate/service/problem";
import type { BlobStore } from "../blob-store.ts";
import type { Queries } from "../database.ts";
import { findRebuilder, type Rebuilder } from "../rebuilderd/rebuilder.ts";
import type { ArchiveUrlOf } from "../rebuilderd/shape-v1.ts";
import { addRebuilderdBuildRoutes } from "./rebuilderd-builds.ts";
import { addRebuilderdPackageRoutes } from "./rebuilderd-packages.ts";
import { addRebuilderdV0Routes } from "./rebuilderd-v0.ts";

export type RebuilderdDependencies = { db: Queries; blobs: BlobStore; archiveUrlOf: ArchiveUrlOf; now: () => Date };

/** Who is asked: the hostname says it. */
export type RebuilderOf = (request: { hostname: string }) => Promise<Rebuilder>;

/**
 * rebuilderd's HTTP API, versions 0 and 1, to be read only: for each operator on its own hostname, and for the network on every other. Its
 * clients are rebuildctl, debian-repro-status and repro-threshold.
 */
export function addRebuilderdRoutes(app: HttpApp, dependencies: RebuilderdDependencies): void {
  const rebuilderOf: RebuilderOf = ({ hostname }) => findRebuilder(dependencies.db, hostname);
  void app.register(async (scope: HttpApp) => {
    decompressBodies(scope);
    addRebuilderdPackageRoutes(scope, dependencies, rebuilderOf);
    addRebuilderdBuildRoutes(scope, dependencies, rebuilderOf);
    addRebuilderdV0Routes(scope, dependencies, rebuilderOf);
    for (const url of ["/api/v0/*", "/api/v1/*"]) {
      scope.route({ method: ["POST", "PUT", "DELETE"], url, onRequest: async () => refuseChange(), handler: refuseChange });
    }
  });
}

/** rebuildctl 0.28 compresses every body that it sends. What comes out is bounded by the route's limit as any body is. */
function decompressBodies(scope: HttpApp): void {
  scope.addHook("preParsing", async ({ headers }, _reply, payload) => {
    if (headers["content-encoding"] !== "zstd") return payload;
    delete headers["content-encoding"];
    delete headers["content-length"];
    const decompress = createZstdDecompress();
    payload.on("error", (error) => decompress.destroy(error));
    return payload.pipe(decompress);
  });
}

function refuseChange(): never {
  throw new ProblemError(403, "read-only", "nothing is changed through this API; submit sources with POST /v1/submissions");
}
