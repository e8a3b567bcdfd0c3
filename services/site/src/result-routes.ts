import type { Blobs } from "@quorate/client/blobs";
import { ApiError, ConnectionError } from "@quorate/client/http";
import type { HttpApp } from "@quorate/service/http-app";
import { ProblemError } from "@quorate/service/problem";
import { z } from "zod";
import { findResult, type LoggedResult } from "./artifact-facts.ts";
import { compareResults } from "./compare-results.ts";
import { parseEntryIndex } from "./entry-index.ts";
import { operatorNames } from "./operator-facts.ts";
import { comparePage } from "./pages/compare-page.ts";
import type { ReadModel } from "./read-model.ts";
import type { SendPage } from "./routes.ts";

/** What is read of a blob; a build log may have more. */
const maxBlobBytes = 16 * 2 ** 20;

type Dependencies = { model: ReadModel; blobs: Blobs; sendPage: SendPage };

/** What operators kept of their builds, from the coordinator's blobs, and what differs between two of them. */
export function addResultRoutes(app: HttpApp, { model, blobs, sendPage }: Dependencies): void {
  app.get(
    "/result/:index/:sha256",
    { schema: { params: z.object({ index: z.string(), sha256: z.string() }) } },
    async ({ params }, reply) => {
      const byproduct = requireResult(params.index).result.byproducts.find(({ sha256 }) => sha256 === params.sha256);
      if (byproduct === undefined) throw new ProblemError(404, "not-found", "The result of this entry names no such file.");
      const bytes = await blobs.get(byproduct.sha256, { maxBytes: maxBlobBytes }).catch(refuse);
      // Stranger's text: shown as text whatever it is.
      return reply
        .type("text/plain; charset=utf-8")
        .headers({ "cache-control": "public, max-age=31536000, immutable", etag: `"${byproduct.sha256}"` })
        .send(bytes);
    },
  );

  app.get("/compare/:one/:other", { schema: { params: z.object({ one: z.string(), other: z.string() }) } }, (request, reply) =>
    sendPage(request, reply, async () => {
      const [one, other] = [requireResult(request.params.one), requireResult(request.params.other)];
      if (one.result.target !== other.result.target) {
        throw new ProblemError(400, "other-target", "These two results are of different targets: there is nothing to compare.");
      }
      const comparison = await compareResults(one.result, other.result, (sha256) => blobs.get(sha256, { maxBytes: maxBlobBytes }));
      return comparePage({ one, other, names: operatorNames(model), comparison });
    }),
  );

  function requireResult(text: string): LoggedResult {
    const index = parseEntryIndex(text);
    const found = index === undefined ? undefined : findResult(model, index);
    if (found !== undefined) return found;
    throw new ProblemError(404, "not-found", "The log has no result in an entry of this index.");
  }
}

function refuse(error: unknown): never {
  if (!(error instanceof ApiError || error instanceof ConnectionError)) throw error;
  throw new ProblemError(503, "blob-unavailable", `What the operator kept cannot be had now: ${error.message}.`, { cause: error });
}
