import type { Sha256 } from "@quorate/protocol/digest";
import { type LiveMessage, liveMessageSchema } from "@quorate/protocol/job";
import { openEventStream } from "./event-stream.ts";
import { parseJsonAnswer } from "./http.ts";

/** What workers say of their jobs of a round while they are at it, until the connection ends. @throws ApiError, ConnectionError */
export async function* followRoundLive(follow: { url: string; round: Sha256; signal: AbortSignal }): AsyncGenerator<LiveMessage> {
  const doing = `following round ${follow.round}`;
  for await (const { event, data } of openEventStream({
    doing,
    url: `${follow.url}/v1/rounds/${follow.round}/events`,
    signal: follow.signal,
  })) {
    if (event === "live") yield parseJsonAnswer(doing, data, liveMessageSchema);
  }
}
