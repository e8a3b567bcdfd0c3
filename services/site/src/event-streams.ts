import type { ServerResponse } from "node:http";
import type { FastifyReply } from "fastify";
import { createBoundedWrites, type DropReason, type UnreadLimits } from "./bounded-writes.ts";
import { createStreamPlaces, type PlaceLimits, type RefuseReason } from "./stream-places.ts";

const heartbeatMilliseconds = 15_000;

export type StreamLimits = PlaceLimits & UnreadLimits;

export type EventStreams = Disposable & {
  /** Makes the answer a stream of the topic's events; `first` is what its reader gets at once. */
  open(reply: FastifyReply, stream: { topic: string; first?: string; onClose?: () => void }): void;
  /** Sends what `formatEvent` made to all who read the topic. */
  send(topic: string, event: string): void;
  readers(topic: string): number;
};

type Given = { limits: StreamLimits; onDropped: (reason: DropReason) => void; onRefused: (reason: RefuseReason) => void };

/**
 * Server-sent events (WHATWG HTML §9.2) to many readers: an event is made once, and whoever does not read is dropped, so that what waits in
 * memory is bounded. Browsers come again by themselves.
 */
export function createEventStreams({ limits, onDropped, onRefused }: Given): EventStreams {
  const topics = new Map<string, Set<ServerResponse>>();
  const takePlace = createStreamPlaces(limits, onRefused);
  const writes = createBoundedWrites(limits, onDropped);
  const send = (topic: string, event: string) => {
    // The same bytes for all of them.
    const bytes = Buffer.from(event);
    for (const stream of topics.get(topic) ?? []) writes.write(stream, bytes);
  };
  const heartbeat = setInterval(() => {
    for (const topic of topics.keys()) send(topic, ": still here\n\n");
  }, heartbeatMilliseconds);
  return {
    open(reply, { topic, first = "", onClose }) {
      const leavePlace = takePlace(reply.request.ip);
      reply.hijack();
      const stream = reply.raw;
      // Who went away while the answer was made ready has closed already.
      if (stream.destroyed) {
        leavePlace();
        return onClose?.();
      }
      const streams = topics.get(topic) ?? new Set();
      topics.set(topic, streams.add(stream));
      stream.on("close", () => {
        leavePlace();
        writes.forget(stream);
        streams.delete(stream);
        if (streams.size === 0) topics.delete(topic);
        onClose?.();
      });
      stream.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store", connection: "close" });
      writes.write(stream, Buffer.from(`: events follow\n\n${first}`));
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
