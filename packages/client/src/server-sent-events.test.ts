import { array, assert, asyncProperty, nat } from "fast-check";
import { expect, it } from "vitest";
import { parseEventStream, type ServerSentEvent } from "./server-sent-events.ts";

async function* chunksOf(text: string, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  for (const [position, start] of places.slice(0, -1).entries()) yield bytes.subarray(start, places[position + 1]);
}

async function collect(events: AsyncIterable<ServerSentEvent>): Promise<ServerSentEvent[]> {
  const collected = [];
  for await (const event of events) collected.push(event);
  return collected;
}

it("reads the same events wherever the network cuts the stream", async () => {
  const text = ': keep-alive\n\nevent: submission\ndata: {"a":"ä…"}\n\nid: 4\nevent:live\r\ndata: one\r\ndata: two\r\n\r\ndata: bare\n\n';
  await assert(
    asyncProperty(array(nat(200), { maxLength: 8 }), async (cuts) => {
      expect(await collect(parseEventStream(chunksOf(text, cuts)))).toEqual([
        { event: "submission", data: '{"a":"ä…"}' },
        { event: "live", data: "one\ntwo" },
        { event: "message", data: "bare" },
      ]);
    }),
  );
});

it("refuses an event that grows without end", async () => {
  const chunk = new TextEncoder().encode(`data: ${"x".repeat(2 ** 20)}`);
  const endless = async function* () {
    for (let i = 0; i < 10; i++) yield chunk;
  };
  await expect(collect(parseEventStream(endless()))).rejects.toThrow("too large");
});
