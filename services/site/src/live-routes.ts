import type { Api } from "@quorate/client/api";
import { ApiError, ConnectionError } from "@quorate/client/http";
import { type Sha256, sha256Schema } from "@quorate/protocol/digest";
import type { HttpApp } from "@quorate/service/http-app";
import { ProblemError } from "@quorate/service/problem";
import { z } from "zod";
import { type EventStreams, formatEvent } from "./event-streams.ts";
import type { LiveLogs } from "./live-logs.ts";
import type { LiveView } from "./live-rounds.ts";
import { livePage } from "./pages/live-page.ts";
import { liveRoundPage } from "./pages/live-round-page.ts";
import { liveSection } from "./pages/live-section.ts";
import { liveSummary } from "./pages/live-summary.ts";
import type { SendPage } from "./routes.ts";

const lookMilliseconds = 1000;

const schema = { params: z.object({ round: z.string() }) };

/** How the list is shown: whole, or in a few lines among other things. */
const shapes = { whole: liveSection, summary: liveSummary } as const;
type Shape = keyof typeof shapes;
const shapeNames = ["whole", "summary"] as const satisfies readonly Shape[];
const querySchema = z.object({ shape: z.enum(shapeNames).catch("whole") });

type Dependencies = {
  loadLive: () => Promise<LiveView>;
  api: Pick<Api, "round">;
  logs: LiveLogs;
  streams: EventStreams;
  sendPage: SendPage;
};

/** `/live` and `/live/<round>`, which shows build logs as they come; and `/live/events`: server-sent events `live`, the markup of the list each time that it has changed. */
export function addLiveRoutes(app: HttpApp, { loadLive, api, logs, streams, sendPage }: Dependencies): void {
  const sent: Record<Shape, string> = { whole: "", summary: "" };
  const topicOf = (shape: Shape) => `live ${shape}`;
  // However many readers there are, markup is made once, and all of them have seen the same of it.
  const renew = async (shape: Shape) => {
    const event = formatEvent("live", shapes[shape](await loadLive()).toString());
    if (event !== sent[shape]) streams.send(topicOf(shape), event);
    sent[shape] = event;
  };
  const look = async () => {
    for (const shape of shapeNames) if (streams.readers(topicOf(shape)) > 0) await renew(shape);
  };
  const timer = setInterval(() => void look(), lookMilliseconds);
  app.addHook("preClose", () => clearInterval(timer));

  app.get("/live", (request, reply) => sendPage(request, reply, async () => livePage(await loadLive())));

  app.get("/live/events", async (request, reply) => {
    const { shape } = querySchema.parse(request.query);
    await renew(shape);
    streams.open(reply, { topic: topicOf(shape), first: sent[shape] });
  });

  app.get("/live/:round", { schema }, (request, reply) =>
    sendPage(request, reply, async () => liveRoundPage(await api.round(requireRound(request.params.round)).catch(refuse))),
  );

  app.get("/live/:round/events", { schema }, async (request, reply) => logs.watch(requireRound(request.params.round), reply));
}

function requireRound(text: string): Sha256 {
  const round = sha256Schema.safeParse(text);
  if (round.success) return round.data;
  throw new ProblemError(404, "not-found", "This is no round's id: a round is named by a SHA-256.");
}

function refuse(error: unknown): never {
  if (error instanceof ApiError && error.status === 404) {
    throw new ProblemError(404, "not-found", "The coordinator knows no such round.", { cause: error });
  }
  if (!(error instanceof ApiError || error instanceof ConnectionError)) throw error;
  throw new ProblemError(503, "coordinator-unreachable", "The coordinator does not answer now: what is being rebuilt cannot be shown.", {
    headers: { "retry-after": "10" },
    cause: error,
  });
}
