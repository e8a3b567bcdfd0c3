import { createApi } from "@quorate/client/api";
import { parseEventStream } from "@quorate/client/server-sent-events";
import { createHttpApp } from "@quorate/service/http-app";
import { listen } from "@quorate/service/listen";
import { silentLogger } from "@quorate/service/logger";
import { expect, it } from "vitest";
import { loadAssets } from "./assets.ts";
import { createEventStreams } from "./event-streams.ts";
import { createLiveLogs } from "./live-logs.ts";
import type { LiveView } from "./live-rounds.ts";
import { addLiveRoutes } from "./live-routes.ts";
import { createSendPage } from "./routes.ts";

const coordinatorUrl = "http://127.0.0.1:9";
const limits = { readers: 10, readersOfNetwork: 10, unreadBytes: 2 ** 20, allUnreadBytes: 2 ** 20 };
const nothing: LiveView = [];
const silent: LiveView = undefined;

it("shows every reader of the list each change, also one that is taken back soon after another reader came", async () => {
  await using stack = new AsyncDisposableStack();
  const app = createHttpApp({ logger: silentLogger });
  stack.defer(() => app.close());
  const streams = createEventStreams({ limits, onDropped: () => {}, onRefused: () => {} });
  app.addHook("preClose", () => streams[Symbol.dispose]());
  const logs = stack.use(createLiveLogs({ coordinatorUrl, streams, onError: () => {} }));
  const state = { origin: "", size: 0, treeSize: 0, checkpoint: "", witnesses: [], opened: 0, unreachableSince: undefined };
  const sendPage = createSendPage({ assets: await loadAssets(), state: () => state });
  let view: LiveView = nothing;
  addLiveRoutes(app, { loadLive: async () => view, api: createApi({ url: coordinatorUrl }), logs, streams, sendPage });
  const url = await listen(app, { host: "127.0.0.1", port: 0 });

  const watch = async () => {
    const { body } = await fetch(`${url}/live/events?shape=summary`);
    if (body === null) throw new Error("no body");
    const events = parseEventStream(body);
    return async () => (await events.next()).value?.data;
  };
  const early = await watch();
  expect(await early()).toContain("Nothing is being rebuilt");
  view = silent;
  const late = await watch();
  view = nothing;
  expect(await late()).toContain("The coordinator does not answer");
  expect(await early()).toContain("The coordinator does not answer");
  for (const next of [early, late]) expect(await next()).toContain("Nothing is being rebuilt");
});
