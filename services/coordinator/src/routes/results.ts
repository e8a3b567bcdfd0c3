import type { HttpApp } from "@quorate/service/http-app";
import { bundleMediaType } from "@quorate/signing/bundle";
import { z } from "zod";
import type { LoadResultBundle } from "../result-bundle.ts";

const paramsSchema = z.object({ index: z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER) });

type Dependencies = { loadResultBundle: LoadResultBundle; trustedRoot: string };

/** What Sigstore's clients verify results with: `cosign verify-blob-attestation --trusted-root trusted_root.json --bundle …`. */
export function addResultRoutes(app: HttpApp, { loadResultBundle, trustedRoot }: Dependencies): void {
  app.get(
    "/v1/results/:index/bundle",
    { schema: { summary: "A result as a Sigstore bundle, for cosign", produces: [bundleMediaType], params: paramsSchema } },
    async ({ params }, reply) => reply.type(bundleMediaType).send(await loadResultBundle(params.index)),
  );

  app.get(
    "/v1/trusted_root.json",
    { schema: { summary: "The log as Sigstore's clients trust it", produces: ["application/json"] } },
    async (_request, reply) => reply.type("application/json").header("cache-control", "public, max-age=3600").send(trustedRoot),
  );
}
