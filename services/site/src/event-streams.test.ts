import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createHttpApp } from "@quorate/service/http-app";
import { listen } from "@quorate/service/listen";
import { silentLogger } from "@quorate/service/logger";
import type { FastifyReply } from "fastify";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { DropReason } from "./bounded-writes.ts";
import { createEventStreams, formatEvent, type StreamLimits } from "./event-streams.ts";
import type { RefuseReason } from "./stream-places.ts";

let stack: AsyncDisposableStack;
beforeEach(() => (stack = new AsyncDisposableStack()));
afterEach(() => stack.disposeAsync());

type Given = { limits?: Partial<StreamLimits>; first?: string; prepare?: (reply: FastifyReply) => Promise<void>; onClose?: () => void };

const wide = { readers: 3000, readersOfNetwork: 3000, unreadBytes: 128 * 1024, allUnreadBytes: 2 ** 30 };

async function streaming({ limits, first = formatEvent("first", 1), prepare, onClose = () => {} }: Given = {}) {
  const dropped: DropReason[] = [];
  const refused: RefuseReason[] = [];
  const streams = stack.use(
    createEventStreams({
      limits: { ...wide, ...limits },
      onDropped: (reason) => dropped.push(reason),
      onRefused: (reason) => refused.push(reason),
    }),
  );
  const app = createHttpApp({ logger: silentLogger });
  stack.defer(() => app.close());
  const served = new Set<Socket>();
  app.server.on("connection", (socket) => served.add(socket));
  /** What waits in this process for readers, by the sockets' own word. */
  const unreadOfEach = () => Array.from(served, (socket) => (socket.destroyed ? 0 : socket.writableLength));
  app.addHook("preClose", () => streams[Symbol.dispose]());
  app.get("/events", async (_request, reply) => {
    await prepare?.(reply);
    streams.open(reply, { topic: "news", first, onClose });
  });
  const url = await listen(app, { host: "127.0.0.1", port: 0 });
  return { streams, dropped, refused, unreadOfEach, url };
}

/** A client that asks and then never reads. */
function startIdle(url: string, localAddress = "127.0.0.1"): void {
  const socket = connect({ port: Number(new URL(url).port), host: "127.0.0.1", localAddress });
  socket.on("error", () => {}).pause();
  socket.write("GET /events HTTP/1.1\r\nhost: x\r\n\r\n");
  stack.defer(() => void socket.destroy());
}

it("drops a reader that does not read, and goes on sending to the one that does", async () => {
  const { streams, dropped, url } = await streaming();
  startIdle(url);
  const reader = (await fetch(`${url}/events`)).body?.getReader();
  await expect.poll(() => streams.readers("news")).toBe(2);
  const event = formatEvent("news", "x".repeat(64 * 1024));
  while (dropped.length === 0) {
    streams.send("news", event);
    await reader?.read();
  }
  expect(dropped).toEqual(["slow"]);
  await expect.poll(() => streams.readers("news")).toBe(1);
  await reader?.cancel();
  await expect.poll(() => streams.readers("news")).toBe(0);
});

it("sends each of a thousand readers what the topic has, and tells the next to come later", async () => {
  const { streams, refused, url } = await streaming({ limits: { readers: 1000 } });
  const bodies = await Promise.all(Array.from({ length: 1000 }, async () => (await fetch(`${url}/events`)).body?.getReader()));
  expect(streams.readers("news")).toBe(1000);
  const late = await fetch(`${url}/events`);
  expect(late.status).toBe(503);
  expect(late.headers.get("retry-after")).toBe("10");
  expect(refused).toEqual(["readers"]);
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
  const { streams, url } = await streaming({ limits: { readers: 1 }, prepare, onClose: closed.resolve });
  await expect(fetch(`${url}/events`, { signal: leave.signal })).rejects.toThrow("aborted");
  await closed.promise;
  expect(streams.readers("news")).toBe(0);
  expect((await fetch(`${url}/events`)).status).toBe(200);
});

it("never lets a reader leave more unread than is allowed, whether in what it gets at once or in the events that follow", async () => {
  const first = formatEvent("first", "x".repeat(200_000));
  const { dropped, url } = await streaming({ first });
  await expect(fetch(`${url}/events`)).rejects.toThrow("fetch failed");
  expect(dropped).toEqual(["slow"]);

  const { streams, dropped: slow, unreadOfEach, url: other } = await streaming();
  startIdle(other);
  await expect.poll(() => streams.readers("news")).toBe(1);
  const event = formatEvent("news", "x".repeat(100_000));
  while (slow.length === 0) {
    streams.send("news", event);
    expect(Math.max(...unreadOfEach())).toBeLessThanOrEqual(wide.unreadBytes);
  }
});

it("keeps what thousands who never read leave in memory below one bound, ends the slowest of them, and serves who reads", async () => {
  const allUnreadBytes = 2 ** 20;
  const { streams, dropped, unreadOfEach, url } = await streaming({ limits: { allUnreadBytes } });
  const reader = (await fetch(`${url}/events`)).body?.getReader();
  for (let idle = 0; idle < 2000; idle += 1) startIdle(url);
  await expect.poll(() => streams.readers("news"), { timeout: 20_000 }).toBe(2001);
  const event = formatEvent("news", "x".repeat(16 * 1024));
  let sent = 0;
  let got = 0;
  while (dropped.length < 100) {
    streams.send("news", event);
    sent += event.length;
    expect(unreadOfEach().reduce((sum, bytes) => sum + bytes, 0)).toBeLessThanOrEqual(allUnreadBytes);
    while (got < sent) got += (await reader?.read())?.value?.length ?? Infinity;
  }
  expect(new Set(dropped)).toEqual(new Set(["memory"]));
  streams.send("news", formatEvent("news", "end"));
  expect(await readUntilEnd(reader)).toContain('"end"');
}, 60_000);

it("gives the readers of one address only so many streams, and others theirs", async () => {
  const { streams, refused, url } = await streaming({ limits: { readersOfNetwork: 2 } });
  for (const address of ["127.0.0.1", "127.0.0.1", "127.0.0.2"]) startIdle(url, address);
  await expect.poll(() => streams.readers("news")).toBe(3);
  const refusedReader = await fetch(`${url}/events`);
  expect(refusedReader.status).toBe(429);
  expect(refusedReader.headers.get("retry-after")).toBe("10");
  expect(await refusedReader.json()).toMatchObject({ detail: expect.stringContaining("address") });
  expect(refused).toEqual(["network"]);
  startIdle(url, "127.0.0.2");
  await expect.poll(() => streams.readers("news")).toBe(4);
});

async function readUntilEnd(reader: ReadableStreamDefaultReader<Uint8Array> | undefined): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  while (!text.includes('"end"')) text += decoder.decode((await reader?.read())?.value, { stream: true });
  await reader?.cancel();
  return text;
}
