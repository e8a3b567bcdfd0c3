import type { ServerResponse } from "node:http";
import { ProblemError } from "@quorate/service/problem";
import type { FastifyReply } from "fastify";

const heartbeatMilliseconds = 15_000;

/** What a reader who is slow may leave unread, in bytes, before the stream is ended. */
const maxUnreadBytes = 128 * 1024;

export type EventStreams = Disposable & {
  /** Makes the answer a stream of the topic's events; `first` is what its reader gets at once. */
  open(reply: FastifyReply, stream: { topic: string; first?: string; onClose?: () => void }): void;
  /** Sends what `formatEvent` made to all who read the topic. */
  send(topic: string, event: string): void;
  readers(topic: string): number;
};

/**
 * Server-sent events (WHATWG HTML §9.2) to many readers: an event is made once, and whoever does not read is dropped, so that what waits in
 * memory is bounded. Browsers come again by themselves.
 */
export function createEventStreams({ maxReaders, onDropped }: { maxReaders: number; onDropped: (topic: string) => void }): EventStreams {
  const topics = new Map<string, Set<ServerResponse>>();
  let open = 0;
  const send = (topic: string, event: string) => {
    for (const stream of topics.get(topic) ?? []) {
      if (stream.writableLength <= maxUnreadBytes) stream.write(event);
      else {
        onDropped(topic);
        stream.destroy();
      }
    }
  };
  const heartbeat = setInterval(() => {
    for (const topic of topics.keys()) send(topic, ": still here\n\n");
  }, heartbeatMilliseconds);
  return {
    open(reply, { topic, first = "", onClose }) {
      if (open >= maxReaders) {
        throw new ProblemError(503, "too-many-watchers", "Too many readers watch this; load the page again from time to time instead.", {
          headers: { "retry-after": "10" },
        });
      }
      reply.hijack();
      const stream = reply.raw;
      // Who went away while the answer was made ready has closed already.
      if (stream.destroyed) return onClose?.();
      const streams = topics.get(topic) ?? new Set();
      topics.set(topic, streams.add(stream));
      open += 1;
      stream.on("close", () => {
        open -= 1;
        streams.delete(stream);
        if (streams.size === 0) topics.delete(topic);
        onClose?.();
      });
      stream.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store", connection: "close" });
      stream.write(`: events follow\n\n${first}`);
    },
    send,
    readers: (topic) => topics.get(topic)?.size ?? 0,
    [Symbol.dispose]() {
      clearInterval(heartbeat);
      for (const streams of topics.values()) for (const stream of streams) stream.end();
    },
  };
}

/** One event; JSON has no line ends in it. */
export function formatEvent(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
