import { connect } from "node:net";
import { createHttpApp } from "@quorate/service/http-app";
import { listen } from "@quorate/service/listen";
import { silentLogger } from "@quorate/service/logger";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createEventStreams, formatEvent } from "./event-streams.ts";

let stack: AsyncDisposableStack;
beforeEach(() => (stack = new AsyncDisposableStack()));
afterEach(() => stack.disposeAsync());

async function streaming({ maxReaders }: { maxReaders: number }) {
  const dropped: string[] = [];
  const streams = stack.use(createEventStreams({ maxReaders, onDropped: (topic) => dropped.push(topic) }));
  const app = createHttpApp({ logger: silentLogger });
  stack.defer(() => app.close());
  app.addHook("preClose", () => streams[Symbol.dispose]());
  app.get("/events", async (_request, reply) => streams.open(reply, { topic: "news", first: formatEvent("first", 1) }));
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

async function readUntilEnd(reader: ReadableStreamDefaultReader<Uint8Array> | undefined): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  while (!text.includes('"end"')) text += decoder.decode((await reader?.read())?.value, { stream: true });
  await reader?.cancel();
  return text;
}
