import type { HttpApp } from "@quorate/service/http-app";
import { z } from "zod";
import { type EventStreams, formatEvent } from "./event-streams.ts";
import type { LiveView } from "./live-rounds.ts";
import { livePage } from "./pages/live-page.ts";
import { liveSection } from "./pages/live-section.ts";
import { liveSummary } from "./pages/live-summary.ts";
import type { SendPage } from "./routes.ts";

const lookMilliseconds = 1000;

/** How the list is shown: whole, or in a few lines among other things. */
const shapes = { whole: liveSection, summary: liveSummary } as const;
type Shape = keyof typeof shapes;
const shapeNames = ["whole", "summary"] as const satisfies readonly Shape[];
const querySchema = z.object({ shape: z.enum(shapeNames).catch("whole").default("whole") });

type Dependencies = { loadLive: () => Promise<LiveView>; streams: EventStreams; sendPage: SendPage };

/** `/live`, and `/live/events`: server-sent events `live`, the markup of the list each time that it has changed. */
export function addLiveRoutes(app: HttpApp, { loadLive, streams, sendPage }: Dependencies): void {
  const sent: Record<Shape, string> = { whole: "", summary: "" };
  const topicOf = (shape: Shape) => `live ${shape}`;
  // However many readers there are, markup is made once.
  const look = async () => {
    for (const shape of shapeNames) {
      if (streams.readers(topicOf(shape)) === 0) continue;
      const event = formatEvent("live", shapes[shape](await loadLive()).toString());
      if (event !== sent[shape]) streams.send(topicOf(shape), event);
      sent[shape] = event;
    }
  };
  const timer = setInterval(() => void look(), lookMilliseconds);
  app.addHook("preClose", () => clearInterval(timer));

  app.get("/live", (request, reply) => sendPage(request, reply, async () => livePage(await loadLive())));

  app.get("/live/events", async (request, reply) => {
    const { shape } = querySchema.parse(request.query);
    const first = formatEvent("live", shapes[shape](await loadLive()).toString());
    streams.open(reply, { topic: topicOf(shape), first });
  });
}
