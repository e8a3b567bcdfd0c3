import type { Api } from "@quorate/client/api";
import { ApiError, ConnectionError } from "@quorate/client/http";
import type { HttpApp } from "@quorate/service/http-app";
import { ProblemError } from "@quorate/service/problem";
import { z } from "zod";
import { requireArtifact } from "./page-routes.ts";
import type { ReadModel } from "./read-model.ts";

type Dependencies = { model: ReadModel; api: Api; policyText: string };

/** What a reader checks with: proofs, as the coordinator puts them together, and a policy to begin with. */
export function addProofRoutes(app: HttpApp, { model, api, policyText }: Dependencies): void {
  app.get("/proof/:sha256", { schema: { params: z.object({ sha256: z.string() }) } }, async (request, reply) => {
    const { sha256 } = requireArtifact(model, request.params.sha256);
    const proof = await api.proof(sha256).catch(refuse);
    return reply.type("application/json").header("cache-control", "public, max-age=60").send(proof);
  });

  app.get("/policy", async (_request, reply) =>
    reply.type("text/plain; charset=utf-8").header("cache-control", "public, max-age=60").send(policyText),
  );
}

function refuse(error: unknown): never {
  if (error instanceof ApiError && error.status === 404) {
    throw new ProblemError(404, "not-found", "There is no proof of this artifact yet: it has no verdict.", { cause: error });
  }
  if (!(error instanceof ApiError || error instanceof ConnectionError)) throw error;
  throw new ProblemError(
    503,
    "coordinator-unreachable",
    "The coordinator, which keeps the build traces of proofs, does not answer now; try again later.",
    {
      headers: { "retry-after": "10" },
      cause: error,
    },
  );
}
