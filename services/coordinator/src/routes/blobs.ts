import { sha256Schema } from "@quorate/protocol/digest";
import { bearerTokenOf, unauthorized } from "@quorate/service/bearer";
import type { HttpApp } from "@quorate/service/http-app";
import { ProblemError } from "@quorate/service/problem";
import { z } from "zod";
import { BlobRefusedError, type BlobStore } from "../blob-store.ts";
import type { Queries } from "../database.ts";
import { findJob, reserveUpload, type StoredJob } from "../store/jobs.ts";
import { findRound } from "../store/rounds.ts";
import type { UploadTickets } from "../upload-ticket.ts";

export type BlobLimits = { maxBlobBytes: number; maxJobBytes: number; maxOperatorBytesADay: number };

const dayMilliseconds = 86_400_000;

const paramsSchema = z.object({ digest: sha256Schema });

type Dependencies = { db: Queries; blobs: BlobStore; tickets: UploadTickets; limits: BlobLimits; now: () => Date };

/** Whoever checks a whole log reads a blob of each result; uploads are bounded by their bytes. */
const unlimited = { rateLimit: false as const };

/** `/v1/blobs/sha256/:digest`: read by anyone, written with the upload ticket of a job whose round is not settled. */
export function addBlobRoutes(app: HttpApp, { db, blobs, tickets, limits, now }: Dependencies): void {
  void app.register(async (scope) => {
    // The body is left unread: the route streams it.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", (_request, payload, done) => done(null, payload));

    scope.route({
      method: "PUT",
      url: "/v1/blobs/sha256/:digest",
      bodyLimit: limits.maxBlobBytes,
      config: unlimited,
      schema: {
        summary: "Stores a blob, with the upload ticket of a job",
        security: [{ token: [] }],
        consumes: ["application/octet-stream"],
        produces: ["application/json"],
        params: paramsSchema,
      },
      async handler(request, reply) {
        const sha256 = sha256Schema.parse(paramsSchema.parse(request.params).digest);
        const job = await requireTicket(request.headers);
        if (await blobs.has(sha256)) return reply.code(200).send({ sha256 });
        await reserve(job, request.headers["content-length"]);
        await blobs.write({ sha256, maxBytes: limits.maxBlobBytes }, request.raw).catch(refuse);
        return reply.code(201).send({ sha256 });
      },
    });
  });

  app.get(
    "/v1/blobs/sha256/:digest",
    {
      exposeHeadRoute: false,
      config: unlimited,
      schema: { summary: "A blob", produces: ["application/octet-stream"], params: paramsSchema },
    },
    async (request, reply) => {
      const content = await blobs.read(request.params.digest);
      if (!content) throw missing(request.params.digest);
      // Stored text of strangers: never to be shown as a page of this site.
      return reply
        .type("application/octet-stream")
        .headers({ ...immutable(request.params.digest), "x-content-type-options": "nosniff" })
        .send(content);
    },
  );

  app.head(
    "/v1/blobs/sha256/:digest",
    { config: unlimited, schema: { summary: "Whether there is a blob", params: paramsSchema } },
    async (request, reply) => {
      if (!(await blobs.has(request.params.digest))) throw missing(request.params.digest);
      return reply.headers(immutable(request.params.digest)).send();
    },
  );

  async function requireTicket(headers: { authorization?: string | undefined }): Promise<StoredJob> {
    const hint = "upload with the ticket that came with the job";
    const id = tickets.verify(bearerTokenOf(headers, hint));
    const job = id === undefined ? undefined : await findJob(db, id);
    if (!job) throw unauthorized(`this is no upload ticket of this network; ${hint}`);
    const round = await findRound(db, job.round);
    if (!round || round.state === "settled") throw unauthorized(`the round of job ${job.job} is settled: nothing more is stored for it`);
    return job;
  }

  async function reserve(job: StoredJob, contentLength: string | undefined): Promise<void> {
    const bytes = Number(contentLength);
    if (contentLength === undefined || !Number.isSafeInteger(bytes)) {
      throw new ProblemError(411, "length-required", "send the blob's size in the content-length header");
    }
    if (bytes > limits.maxBlobBytes) throw tooLarge(`a blob may have ${limits.maxBlobBytes} bytes, this one has ${bytes}`);
    const since = new Date(now().getTime() - dayMilliseconds);
    if (await reserveUpload(db, job, { bytes, limits: { job: limits.maxJobBytes, operator: limits.maxOperatorBytesADay, since } })) return;
    throw tooLarge(
      `a job may upload ${limits.maxJobBytes} bytes, and the jobs of one operator ${limits.maxOperatorBytesADay} a day; these ${bytes} would be more: shorten the build log`,
    );
  }
}

const immutable = (digest: string) => ({ etag: `"${digest}"`, "cache-control": "public, max-age=31536000, immutable" });

const missing = (digest: string) => new ProblemError(404, "not-found", `there is no blob ${digest}; its owner has not uploaded it`);

const tooLarge = (detail: string) => new ProblemError(413, "body-too-large", detail);

function refuse(error: unknown): never {
  if (!(error instanceof BlobRefusedError)) throw error;
  if (error.reason === "too-large") throw tooLarge(error.message);
  throw new ProblemError(422, "digest-differs", `${error.message}; send the content whose digest the address names`);
}
