import { setTimeout as delay } from "node:timers/promises";
import { followRoundLive } from "@quorate/client/round-events";
import type { Sha256 } from "@quorate/protocol/digest";
import type { LiveMessage } from "@quorate/protocol/job";
import { visibleText } from "@quorate/service/html";
import { ProblemError } from "@quorate/service/problem";
import type { FastifyReply } from "fastify";
import { type EventStreams, formatEvent } from "./event-streams.ts";

/** Of each operator's lines, as many of the newest are kept as one event has room for, and 300 at most. */
const keptLines = 300;
const maxEventBytes = 128 * 1024;
/** What whoever comes later is shown first, of all operators together. */
const maxFirstBytes = 256 * 1024;
const maxLineCharacters = 500;
const retryMilliseconds = 2000;
/** Each is a connection to the coordinator, which has a thousand for all who follow something. */
const maxWatchedRounds = 200;

export type LiveLogs = AsyncDisposable & {
  /** Streams what the workers of a round say: events `log`, a `LogPart` each. */
  watch(round: Sha256, reply: FastifyReply): void;
};

/** What came of one operator's build: its phase, what it does, and further lines of its build log. */
export type LogPart = Pick<LiveMessage, "operator" | "phase" | "activity"> & { readonly lines: readonly string[] };

type Watched = { readonly parts: Map<string, LogPart>; readonly stop: AbortController; readonly running: Promise<void> };

type Given = { coordinatorUrl: string; streams: EventStreams; onError: (error: unknown) => void };

/** Build logs of running jobs: one connection to the coordinator for each round that somebody watches, and none for the others. */
export function createLiveLogs({ coordinatorUrl, streams, onError }: Given): LiveLogs {
  const watched = new Map<Sha256, Watched>();
  const topicOf = (round: Sha256) => `log ${round}`;

  const start = (round: Sha256): Watched => {
    const stop = new AbortController();
    const parts = new Map<string, LogPart>();
    const follow = async () => {
      while (!stop.signal.aborted) {
        try {
          for await (const message of followRoundLive({ url: coordinatorUrl, round, signal: stop.signal })) {
            const part = logPartOf(message);
            const lines = [...(parts.get(part.operator)?.lines ?? []), ...part.lines].slice(-keptLines);
            parts.set(part.operator, { ...part, lines: newestLines(lines, maxEventBytes) });
            streams.send(topicOf(round), formatEvent("log", part));
          }
        } catch (error) {
          if (!stop.signal.aborted) onError(error);
        }
        await delay(retryMilliseconds, undefined, { signal: stop.signal }).catch(() => {});
      }
    };
    const started = { parts, stop, running: follow() };
    watched.set(round, started);
    return started;
  };
  const stopUnread = (round: Sha256) => {
    if (streams.readers(topicOf(round)) > 0) return;
    watched.get(round)?.stop.abort();
    watched.delete(round);
  };
  return {
    watch(round, reply) {
      if (!watched.has(round) && watched.size >= maxWatchedRounds) {
        throw new ProblemError(503, "too-many-watchers", "Build logs of too many rounds are watched; try again later.", {
          headers: { "retry-after": "10" },
        });
      }
      const { parts } = watched.get(round) ?? start(round);
      const shareBytes = Math.min(maxEventBytes, maxFirstBytes / parts.size);
      const first = Array.from(parts.values(), (part) => formatEvent("log", { ...part, lines: newestLines(part.lines, shareBytes) })).join(
        "",
      );
      try {
        streams.open(reply, { topic: topicOf(round), first, onClose: () => stopUnread(round) });
      } catch (error) {
        stopUnread(round);
        throw error;
      }
    },
    async [Symbol.asyncDispose]() {
      const all = [...watched.values()];
      watched.clear();
      for (const { stop } of all) stop.abort();
      await Promise.all(all.map(({ running }) => running));
    },
  };
}

/** A worker's words are a stranger's: lines are cut, and what is not seen in them is shown by its number. */
export function logPartOf({ operator, phase, activity, logLines = [] }: LiveMessage): LogPart {
  const lines = newestLines(logLines.map(shownLine), maxEventBytes);
  return { operator, phase, ...(activity !== undefined && { activity: shownLine(activity) }), lines };
}

/** The last of them that fit, as JSON has them. */
function newestLines(lines: readonly string[], maxBytes: number): readonly string[] {
  let bytes = 0;
  const before = lines.findLastIndex((line) => (bytes += Buffer.byteLength(JSON.stringify(line)) + 1) > maxBytes);
  return lines.slice(before + 1);
}

function shownLine(text: string): string {
  const cut = text.length > maxLineCharacters ? `${text.slice(0, maxLineCharacters)} … cut` : text;
  return visibleText(cut.replaceAll("\n", " "));
}
