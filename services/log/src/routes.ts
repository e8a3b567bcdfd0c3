import { maxEntryBytes } from "@quorate/protocol/entry";
import { ParseError } from "@quorate/protocol/parse-error";
import { requireBearer } from "@quorate/service/bearer";
import type { HttpApp } from "@quorate/service/http-app";
import { ProblemError } from "@quorate/service/problem";
import { z } from "zod";
import { appendEntry, waitUntilPublished } from "./append-entry.ts";
import type { AppendDependencies, Appended } from "./append-entry.ts";
import { type KeyedBytes, keyPattern, maxKeyedEntries, maxKeyedEntriesBytes, parseKeyedEntries } from "./keyed-entries.ts";

const querystring = z.object({ wait: z.enum(["sequenced", "published"]).default("published") });
const headers = z.looseObject({
  "idempotency-key": z.string().regex(keyPattern, "must be 1 to 200 printable ASCII characters without spaces"),
});

/** `POST /add`: appends the body as an entry. `POST /add-entries`: appends several, each under its own key. */
export function addAppendRoutes(app: HttpApp, token: string, dependencies: AppendDependencies): void {
  const { publisher } = dependencies;
  const onRequest = requireBearer(token);
  app.addContentTypeParser("application/octet-stream", { parseAs: "buffer" }, (_request, body, done) => done(null, body));

  app.post("/add", { schema: { headers, querystring }, onRequest, bodyLimit: maxEntryBytes }, async (request, reply) => {
    const appended = await appendEntry(request.headers["idempotency-key"], bytesOf(request.body), dependencies);
    if (request.query.wait === "sequenced") return reply.send(answerOf(appended));
    const published = await waitUntilPublished(appended, publisher);
    return reply.send({ ...answerOf(appended), checkpoint: published.note });
  });

  app.post("/add-entries", { schema: { querystring }, onRequest, bodyLimit: maxKeyedEntriesBytes }, async (request, reply) => {
    const keyed = keyedEntriesOf(bytesOf(request.body));
    // What fails for one of them fails for the request: tried again, those that were appended are found by their keys.
    const appended = await Promise.all(keyed.map(({ key, bytes }) => appendEntry(key, bytes, dependencies)));
    const entries = appended.map(answerOf);
    if (request.query.wait === "sequenced") return reply.send({ entries });
    const last = appended.reduce((left, right) => (right.treeSize > left.treeSize ? right : left));
    const published = await waitUntilPublished(last, publisher);
    return reply.send({ entries, checkpoint: published.note });
  });
}

function bytesOf(body: unknown): Uint8Array {
  if (body instanceof Uint8Array && body.length > 0) return body;
  throw new ProblemError(400, "invalid-request", `send each entry, 1 to ${maxEntryBytes} bytes, as application/octet-stream`);
}

function keyedEntriesOf(body: Uint8Array): KeyedBytes[] {
  try {
    return parseKeyedEntries(body);
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    throw new ProblemError(
      400,
      "invalid-request",
      `${error.message}; send an entry bundle of 1 to ${maxKeyedEntries} pairs of key and entry`,
    );
  }
}

function answerOf({ index, leafHash, duplicate }: Appended) {
  return { index, leafHash: Buffer.from(leafHash).toString("hex"), duplicate };
}
