import { text } from "node:stream/consumers";
import { expect, it } from "vitest";
import { serve } from "./local-server.fixture.ts";
import { createLogWriter } from "./log-writer.ts";

type Seen = { url: string | undefined; key: string | string[] | undefined; authorization: string | undefined; body: string };

async function busyLog(statuses: number[]): Promise<AsyncDisposable & { url: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = await serve(async (request, response) => {
    const body = await text(request);
    seen.push({ url: request.url, key: request.headers["idempotency-key"], authorization: request.headers.authorization, body });
    const status = statuses.shift() ?? 200;
    response.writeHead(status, status === 503 ? { "retry-after": "0" } : {});
    response.end(status === 200 ? JSON.stringify({ index: 7, leafHash: "0".repeat(64), duplicate: false, checkpoint: "note" }) : "");
  });
  return { ...server, seen };
}

it("sends the entry with its key and token, and again with the same key while the log is busy", async () => {
  await using log = await busyLog([503, 503, 200]);
  const appended = await createLogWriter({ url: log.url, token: "secret" }).append({
    key: "target/abc",
    bytes: new TextEncoder().encode("{}"),
    wait: "published",
  });
  expect(appended).toEqual({ index: 7, leafHash: "0".repeat(64), duplicate: false, published: "note" });
  const sent = { url: "/add?wait=published", key: "target/abc", authorization: "Bearer secret", body: "{}" };
  expect(log.seen).toEqual([sent, sent, sent]);
});

it("does not repeat what the log refuses", async () => {
  await using log = await busyLog([401]);
  const append = createLogWriter({ url: log.url, token: "wrong" }).append({
    key: "target/abc",
    bytes: new Uint8Array([1]),
    wait: "sequenced",
  });
  await expect(append).rejects.toThrow("appending target/abc to the log: the server answered with status 401");
  expect(log.seen).toHaveLength(1);
});
