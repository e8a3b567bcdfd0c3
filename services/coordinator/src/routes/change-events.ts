import type { ServerResponse } from "node:http";
import { sha256Schema } from "@quorate/protocol/digest";
import type { HttpApp } from "@quorate/service/http-app";
import { ProblemError } from "@quorate/service/problem";
import { z } from "zod";
import type { RoundChanges } from "../changes.ts";
import type { Views } from "../views.ts";
import { refuseUnknown } from "./submissions.ts";

const maxWatchers = 1000;
const heartbeatMilliseconds = 15_000;

const streamHeaders = {
  "content-type": "text/event-stream",
  "cache-control": "no-store",
  "x-accel-buffering": "no",
  // A stream that ends because the service stops must not leave a connection that the service then waits for.
  connection: "close",
};

/** `GET /v1/submissions/:id/events`: server-sent events `submission` (the whole view at each change) and `live` (progress, best effort). */
export function addSubmissionEventRoutes(app: HttpApp, { views, watch }: { views: Views; watch: RoundChanges["watch"] }): void {
  const open = new Set<ServerResponse>();
  app.addHook("preClose", () => open.forEach((stream) => stream.end()));

  app.get("/v1/submissions/:id/events", { schema: { params: z.object({ id: sha256Schema }) } }, async (request, reply) => {
    const { id } = request.params;
    if (open.size >= maxWatchers) {
      throw new ProblemError(503, "too-many-watchers", "too many clients watch submissions; poll GET /v1/submissions/:id instead", {
        headers: { "retry-after": "10" },
      });
    }
    const view = (await views.submission(id)) ?? refuseUnknown(id);
    reply.hijack();
    const stream = reply.raw;
    open.add(stream);
    stream.writeHead(200, streamHeaders);
    const send = (event: string, data: unknown) => stream.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    const sendView = coalesced(
      async () => {
        const changed = await views.submission(id);
        if (changed && !stream.writableEnded) send("submission", changed);
      },
      (error) => request.log.warn({ err: error, submission: id }, "reading a submission for a watcher failed"),
    );
    const watching = watch(
      view.rounds.map(({ round }) => round),
      // A client that reads too slowly misses progress, never a change.
      { changed: sendView, live: (message) => void (stream.writableNeedDrain || send("live", message)) },
    );
    const heartbeat = setInterval(() => stream.write(": still here\n\n"), heartbeatMilliseconds);
    stream.on("close", () => {
      clearInterval(heartbeat);
      watching[Symbol.dispose]();
      open.delete(stream);
    });
    // Only now: what changed since the first reading would otherwise be missed.
    sendView();
  });
}

/** Calls that come while one runs are served by one more run after it. */
function coalesced(run: () => Promise<void>, onError: (error: unknown) => void): () => void {
  let state: "idle" | "running" | "again" = "idle";
  const loop = async () => {
    do {
      state = "running";
      await run().catch(onError);
    } while (isAgain());
    state = "idle";
  };
  const isAgain = () => state === "again";
  return () => {
    if (state === "idle") void loop();
    else state = "again";
  };
}
