import { setTimeout as delay } from "node:timers/promises";
import type { Sha256 } from "@quorate/protocol/digest";
import { liveMessageSchema, type LiveMessage } from "@quorate/protocol/job";
import { submissionViewSchema, type SubmissionView } from "@quorate/protocol/submission";
import { openEventStream } from "./event-stream.ts";
import { ApiError, ConnectionError, parseJsonAnswer } from "./http.ts";
import type { ServerSentEvent } from "./server-sent-events.ts";

export type SubmissionEvent = { kind: "submission"; submission: SubmissionView } | { kind: "live"; live: LiveMessage };

type Follow = { url: string; id: Sha256; signal: AbortSignal | undefined };

/** How long the coordinator may be away, for a restart for example, before following it fails. */
const patienceSeconds = 120;

/** Follows a submission until all its rounds have settled, and connects again when the connection breaks. */
export async function* followSubmission(follow: Follow): AsyncGenerator<SubmissionEvent> {
  let lastHeard = performance.now();
  while (true) {
    try {
      for await (const event of connectOnce(follow)) {
        lastHeard = performance.now();
        yield event;
        if (event.kind === "submission" && isSettled(event.submission)) return;
      }
    } catch (error) {
      const tryAgain = error instanceof ConnectionError || (error instanceof ApiError && error.status >= 500);
      if (!tryAgain || performance.now() - lastHeard > patienceSeconds * 1000) throw error;
    }
    await delay(500, undefined, { signal: follow.signal });
  }
}

export function isSettled(submission: SubmissionView): boolean {
  return submission.rounds.length > 0 && submission.rounds.every((round) => round.state === "settled");
}

async function* connectOnce({ url, id, signal }: Follow): AsyncGenerator<SubmissionEvent> {
  const doing = `following submission ${id}`;
  for await (const event of openEventStream({ doing, url: `${url}/v1/submissions/${id}/events`, signal })) {
    yield* parseSubmissionEvent(doing, event);
  }
}

function parseSubmissionEvent(doing: string, { event, data }: ServerSentEvent): SubmissionEvent[] {
  if (event === "submission") return [{ kind: "submission", submission: parseJsonAnswer(doing, data, submissionViewSchema) }];
  if (event === "live") return [{ kind: "live", live: parseJsonAnswer(doing, data, liveMessageSchema) }];
  return [];
}
