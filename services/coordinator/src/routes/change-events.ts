import type { ServerResponse } from "node:http";
import { type Sha256, sha256Schema } from "@quorate/protocol/digest";
import type { HttpApp } from "@quorate/service/http-app";
import { ProblemError } from "@quorate/service/problem";
import { z } from "zod";
import type { RoundChanges } from "../changes.ts";
import type { Views } from "../views.ts";
import { refuseUnknownRound } from "./rounds.ts";
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

type Dependencies = { views: Views; watch: RoundChanges["watch"] };

type Asked = { readonly url: string; readonly log: { warn(fields: object, message: string): void } };
type Answer = { readonly raw: ServerResponse; hijack(): unknown };

/** What is followed: its view, which is sent whole at each change, and the rounds that it consists of. */
type Followed = {
  readonly event: "submission" | "round";
  readonly rounds: readonly Sha256[];
  readonly load: () => Promise<unknown>;
};

/**
 * `GET /v1/submissions/:id/events` and `GET /v1/rounds/:id/events`: server-sent events `submission` or `round` (the whole view at each change)
 * and `live` (progress and lines of the build logs, best effort).
 */
export function addChangeEventRoutes(app: HttpApp, { views, watch }: Dependencies): void {
  const open = new Set<ServerResponse>();
  app.addHook("preClose", () => open.forEach((stream) => stream.end()));
  const schema = {
    summary: "Server-sent events: the whole view at each change, and the live progress",
    produces: ["text/event-stream"],
    params: z.object({ id: sha256Schema }),
  };

  app.get("/v1/submissions/:id/events", { schema, onRequest: refuseTooMany }, async (request, reply) => {
    const { id } = request.params;
    const { rounds } = (await views.submission(id)) ?? refuseUnknown(id);
    follow(request, reply, { event: "submission", rounds: rounds.map(({ round }) => round), load: () => views.submission(id) });
  });

  app.get("/v1/rounds/:id/events", { schema, onRequest: refuseTooMany }, async (request, reply) => {
    const { id } = request.params;
    if (!(await views.round(id))) refuseUnknownRound(id);
    follow(request, reply, { event: "round", rounds: [id], load: () => views.round(id) });
  });

  async function refuseTooMany(): Promise<void> {
    if (open.size < maxWatchers) return;
    throw new ProblemError(503, "too-many-watchers", "too many clients watch; ask again from time to time instead of following", {
      headers: { "retry-after": "10" },
    });
  }

  function follow(request: Asked, reply: Answer, { event, rounds, load }: Followed): void {
    reply.hijack();
    const stream = reply.raw;
    open.add(stream);
    stream.writeHead(200, streamHeaders);
    const send = (name: string, data: unknown) => stream.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
    const sendView = coalesced(
      async () => {
        const changed = await load();
        if (changed !== undefined && !stream.writableEnded) send(event, changed);
      },
      (error) => request.log.warn({ err: error, path: request.url }, "reading what a watcher follows failed"),
    );
    // A client that reads too slowly misses progress, never a change.
    const watching = watch(rounds, { changed: sendView, live: (message) => void (stream.writableNeedDrain || send("live", message)) });
    const heartbeat = setInterval(() => stream.write(": still here\n\n"), heartbeatMilliseconds);
    stream.on("close", () => {
      clearInterval(heartbeat);
      watching[Symbol.dispose]();
      open.delete(stream);
    });
    // Only now: what changed since the first reading would otherwise be missed.
    sendView();
  }
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
