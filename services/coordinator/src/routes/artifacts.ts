import { artifactListSchema, artifactViewSchema } from "@quorate/protocol/artifact-view";
import { type Sha256, sha256Schema } from "@quorate/protocol/digest";
import { architectureSchema, packageNameSchema, packageVersionSchema } from "@quorate/protocol/names";
import type { HttpApp } from "@quorate/service/http-app";
import { isNotModified } from "@quorate/service/not-modified";
import { ProblemError } from "@quorate/service/problem";
import { z } from "zod";
import type { Queries } from "../database.ts";
import type { LoadProof } from "../proof.ts";
import { findArtifact, loadArtifacts } from "../store/verdicts.ts";

const querySchema = z.strictObject({
  name: packageNameSchema.optional(),
  version: packageVersionSchema.optional(),
  architecture: architectureSchema.optional(),
});
const paramsSchema = z.object({ digest: sha256Schema });

export function addArtifactRoutes(app: HttpApp, { db, loadProof }: { db: Queries; loadProof: LoadProof }): void {
  app.get(
    "/v1/artifacts",
    {
      schema: {
        summary: "The newest verdicts on artifacts, by name, version and architecture",
        querystring: querySchema,
        response: { 200: artifactListSchema },
      },
    },
    async (request) => ({
      artifacts: await loadArtifacts(db, { ...request.query, limit: 200 }),
    }),
  );

  app.get(
    "/v1/artifacts/sha256/:digest",
    {
      schema: { summary: "The newest verdict on an artifact, by its digest", params: paramsSchema, response: { 200: artifactViewSchema } },
    },
    async (request) => (await findArtifact(db, request.params.digest)) ?? refuseUnknown(request.params.digest),
  );

  app.get(
    "/v1/artifacts/sha256/:digest/proof",
    {
      schema: {
        produces: ["application/json"],
        summary: "A verdict, its evidence and the proofs that they are logged, in one file for `quorate verify`",
        params: paramsSchema,
      },
    },
    async (request, reply) => {
      const artifact = (await findArtifact(db, request.params.digest)) ?? refuseUnknown(request.params.digest);
      const etag = `"${artifact.verdictIndex}"`;
      void reply.header("etag", etag).header("cache-control", "public, max-age=60");
      if (isNotModified(request.headers, { etag })) return reply.code(304).send();
      return reply.type("application/json; charset=utf-8").send(await loadProof(artifact));
    },
  );
}

function refuseUnknown(digest: Sha256): never {
  throw new ProblemError(404, "not-found", `no verdict speaks of an artifact with SHA-256 ${digest}; submit its source to have it rebuilt`);
}
