import type { ServerResponse } from "node:http";
import type { HttpApp } from "@quorate/service/http-app";
import { ProblemError } from "@quorate/service/problem";
import type { LiveView } from "./live-rounds.ts";
import { livePage } from "./pages/live-page.ts";
import { liveSection } from "./pages/live-section.ts";
import type { SendPage } from "./routes.ts";

const maxWatchers = 1000;
const lookMilliseconds = 1000;
const heartbeatMilliseconds = 15_000;

type Dependencies = { loadLive: () => Promise<LiveView>; sendPage: SendPage };

/** `/live`, and `/live/events`: server-sent events `live`, the markup of the list each time that it has changed. */
export function addLiveRoutes(app: HttpApp, { loadLive, sendPage }: Dependencies): void {
  const open = new Set<ServerResponse>();
  app.addHook("preClose", () => open.forEach((stream) => stream.end()));
  app.get("/live", (request, reply) => sendPage(request, reply, async () => livePage(await loadLive())));

  app.get("/live/events", async (_request, reply) => {
    if (open.size >= maxWatchers) {
      throw new ProblemError(503, "too-many-watchers", "Too many readers watch this; load the page again from time to time instead.", {
        headers: { "retry-after": "10" },
      });
    }
    reply.hijack();
    const stream = reply.raw;
    open.add(stream);
    stream.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store", connection: "close" });
    stream.write(": this stream says what is being rebuilt\n\n");
    const timers = [
      setInterval(() => void sendChange(), lookMilliseconds),
      setInterval(() => stream.write(": still here\n\n"), heartbeatMilliseconds),
    ];
    stream.on("close", () => {
      timers.forEach(clearInterval);
      open.delete(stream);
    });
    let sent = "";
    const sendChange = async () => {
      const markup = liveSection(await loadLive()).toString();
      // Who reads too slowly misses what was in between.
      if (markup === sent || stream.writableNeedDrain || stream.writableEnded) return;
      sent = markup;
      stream.write(`event: live\ndata: ${JSON.stringify(markup)}\n\n`);
    };
  });
}
