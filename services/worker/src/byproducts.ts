import { formatTrace } from "@quorate/attestation/build-trace";
import { formatLinks } from "@quorate/attestation/in-toto-link";
import type { BlobContent, Blobs } from "@quorate/client/blobs";
import { ApiError } from "@quorate/client/http";
import { formatCanonicalJson } from "@quorate/protocol/canonical-json";
import { sha256Of } from "@quorate/protocol/digest";
import type { Byproduct } from "@quorate/protocol/result";
import { utf8 } from "@quorate/protocol/utf8";
import type { LinkSigner } from "@quorate/signing/link-key";
import { cutLog } from "./cut-log.ts";
import type { WorkerEvents } from "./events.ts";
import type { BuildOutcome } from "./executor.ts";
import { retryRequest } from "./retry-request.ts";
import { signLinks } from "./sign-links.ts";

export type PreparedByproduct = { byproduct: Byproduct; content: BlobContent };

const maxLogBytes = 16 * 2 ** 20;
const maxBuildinfoBytes = 2 ** 20;

/** What a result names by digest besides its artifacts, most important first. */
export async function prepareByproducts(outcome: BuildOutcome, linkSigner: LinkSigner): Promise<PreparedByproduct[]> {
  const prepared: PreparedByproduct[] = [];
  if (outcome.kind === "built") prepared.push(textByproduct("build-trace", "build.trace", formatTrace(outcome.trace)));
  if (outcome.lock) prepared.push(textByproduct("environment-lock", "environment.json", formatCanonicalJson(outcome.lock)));
  if (outcome.buildLog) {
    const { content, sizeBytes, sha256 } = await cutLog(outcome.buildLog, maxLogBytes);
    prepared.push({ byproduct: { kind: "build-log", name: "build.log", sizeBytes, sha256, mediaType: "text/plain" }, content });
  }
  if (outcome.kind === "failed") return prepared;
  if (outcome.buildinfo && outcome.buildinfo.sizeBytes <= maxBuildinfoBytes) {
    const { name, path, sizeBytes, sha256 } = outcome.buildinfo;
    prepared.push({ byproduct: { kind: "buildinfo", name, sizeBytes, sha256, mediaType: "text/plain" }, content: { path } });
  }
  prepared.push(textByproduct("in-toto-links", "links.jsonl", formatLinks(signLinks(outcome, linkSigner))));
  for (const { file, text } of outcome.manifests) prepared.push(textByproduct("manifest", file, text));
  return prepared;
}

const mediaTypes: Partial<Record<Byproduct["kind"], string>> = {
  "environment-lock": "application/json",
  "in-toto-links": "application/jsonl",
};

function textByproduct(kind: Byproduct["kind"], name: string, text: string): PreparedByproduct {
  const content = utf8(text);
  const mediaType = mediaTypes[kind] ?? "text/plain";
  return { byproduct: { kind, name, sizeBytes: content.length, sha256: sha256Of(content), mediaType }, content };
}

/**
 * Uploads byproducts and returns those that the coordinator now has. One that it finds too large is left out.
 *
 * @throws ApiError when it refuses for another reason, such as a round that is settled
 */
export async function uploadByproducts(
  prepared: readonly PreparedByproduct[],
  options: { blobs: Pick<Blobs, "put">; job: string; ticket: string; events: WorkerEvents; signal: AbortSignal },
): Promise<Byproduct[]> {
  const { blobs, job, ticket, events, signal } = options;
  const uploaded: Byproduct[] = [];
  for (const { byproduct, content } of prepared) {
    const put = (): Promise<void> => blobs.put({ sha256: byproduct.sha256, content, ticket, signal });
    try {
      await retryRequest(`uploading ${byproduct.kind} ${byproduct.name}`, put, { events, signal });
      uploaded.push(byproduct);
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 413)) throw error;
      events.byproductLeftOut(job, byproduct.name, error);
    }
  }
  return uploaded;
}
