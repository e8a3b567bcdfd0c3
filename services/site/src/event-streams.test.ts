import { once } from "node:events";
import { connect } from "node:net";
import { createHttpApp } from "@quorate/service/http-app";
import { listen } from "@quorate/service/listen";
import { silentLogger } from "@quorate/service/logger";
import type { FastifyReply } from "fastify";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createEventStreams, formatEvent } from "./event-streams.ts";

let stack: AsyncDisposableStack;
beforeEach(() => (stack = new AsyncDisposableStack()));
afterEach(() => stack.disposeAsync());

type Given = { maxReaders: number; prepare?: (reply: FastifyReply) => Promise<void>; onClose?: () => void };

async function streaming({ maxReaders, prepare, onClose = () => {} }: Given) {
  const dropped: string[] = [];
  const streams = stack.use(createEventStreams({ maxReaders, onDropped: (topic) => dropped.push(topic) }));
  const app = createHttpApp({ logger: silentLogger });
  stack.defer(() => app.close());
  app.addHook("preClose", () => streams[Symbol.dispose]());
  app.get("/events", async (_request, reply) => {
    await prepare?.(reply);
    streams.open(reply, { topic: "news", first: formatEvent("first", 1), onClose });
  });
  const url = await listen(app, { host: "127.0.0.1", port: 0 });
  return { streams, dropped, url };
}

it("drops a reader that does not read, and goes on sending to the one that does", async () => {
  const { streams, dropped, url } = await streaming({ maxReaders: 10 });
  const idle = connect(Number(new URL(url).port), "127.0.0.1", () => idle.write("GET /events HTTP/1.1\r\nhost: x\r\n\r\n"));
  stack.defer(() => void idle.destroy());
  idle.on("error", () => {});
  idle.pause();
  const reader = (await fetch(`${url}/events`)).body?.getReader();
  await expect.poll(() => streams.readers("news")).toBe(2);
  const event = formatEvent("news", "x".repeat(64 * 1024));
  while (dropped.length === 0) {
    streams.send("news", event);
    await reader?.read();
  }
  expect(dropped).toEqual(["news"]);
  await expect.poll(() => streams.readers("news")).toBe(1);
  await reader?.cancel();
  await expect.poll(() => streams.readers("news")).toBe(0);
});

it("sends each of a thousand readers what the topic has, and tells the next to come later", async () => {
  const { streams, url } = await streaming({ maxReaders: 1000 });
  const bodies = await Promise.all(Array.from({ length: 1000 }, async () => (await fetch(`${url}/events`)).body?.getReader()));
  expect(streams.readers("news")).toBe(1000);
  const late = await fetch(`${url}/events`);
  expect(late.status).toBe(503);
  expect(late.headers.get("retry-after")).toBe("10");
  streams.send("news", formatEvent("news", "end"));
  const texts = await Promise.all(bodies.map(readUntilEnd));
  expect(new Set(texts)).toEqual(new Set([`: events follow\n\n${formatEvent("first", 1)}${formatEvent("news", "end")}`]));
});

it("counts nobody who went away before the stream began", async () => {
  const leave = new AbortController();
  const closed = Promise.withResolvers<void>();
  const prepare = async ({ raw }: FastifyReply) => {
    if (leave.signal.aborted) return;
    leave.abort();
    await once(raw, "close");
  };
  const { streams, url } = await streaming({ maxReaders: 1, prepare, onClose: closed.resolve });
  await expect(fetch(`${url}/events`, { signal: leave.signal })).rejects.toThrow("aborted");
  await closed.promise;
  expect(streams.readers("news")).toBe(0);
  expect((await fetch(`${url}/events`)).status).toBe(200);
});

async function readUntilEnd(reader: ReadableStreamDefaultReader<Uint8Array> | undefined): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  while (!text.includes('"end"')) text += decoder.decode((await reader?.read())?.value, { stream: true });
  await reader?.cancel();
  return text;
}
