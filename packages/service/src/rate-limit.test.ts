import { problemSchema } from "@quorate/protocol/problem";
import { afterEach, expect, test } from "vitest";
import { createHttpApp, type HttpApp } from "./http-app.ts";
import { listen } from "./listen.ts";
import { silentLogger } from "./logger.ts";
import { limitRequests } from "./rate-limit.ts";

const started: HttpApp[] = [];
afterEach(async () => {
  for (const app of started.splice(0)) await app.close();
});

const known = new Map([["a-token-that-was-checked", "one"]]);

/** Behind a proxy on this host; a client of its own is whatever address that names. */
async function serve(requestsAMinute: number, trustedProxies = ["127.0.0.1/8", "::1"]) {
  const app = createHttpApp({ logger: silentLogger, trustProxy: trustedProxies });
  started.push(app);
  await limitRequests(app, { requestsAMinute, trustedProxies, bucketOf: ({ headers }) => known.get(String(headers.authorization)) });
  let looked = 0;
  app.get("/counted", { onRequest: async () => void (looked += 1) }, async () => "here");
  app.get("/free", { config: { rateLimit: false } }, async () => "here");
  const url = await listen(app, { host: "127.0.0.1", port: 0 });
  const get = (client: string | undefined, path = "/counted", headers: Record<string, string> = {}) =>
    fetch(`${url}${path}`, { headers: client === undefined ? headers : { "x-forwarded-for": client, ...headers } });
  return { get, looked: () => looked };
}

test("says what is left of a minute, then refuses with a problem that says when to come again, and looks at nothing", async () => {
  const { get, looked } = await serve(2);
  const left = [await get("203.0.113.7"), await get("203.0.113.7")].map(({ headers }) => headers.get("ratelimit-remaining"));
  expect(left).toEqual(["1", "0"]);
  const refused = await get("203.0.113.7");
  expect(refused.status).toBe(429);
  expect(refused.headers.get("content-type")).toContain("application/problem+json");
  expect(problemSchema.parse(await refused.json())).toMatchObject({
    type: expect.stringMatching(/too-many-requests$/),
    status: 429,
    detail: expect.stringMatching(/^more than 2 requests .* try again in \d+ s/),
  });
  const names = ["ratelimit-limit", "ratelimit-remaining"];
  expect(names.map((name) => refused.headers.get(name))).toEqual(["2", "0"]);
  expect(refused.headers.get("retry-after")).toMatch(/^([1-9]|[1-5]\d|60)$/);
  expect(refused.headers.get("retry-after")).toBe(refused.headers.get("ratelimit-reset"));
  expect(looked()).toBe(2);
});

test("each client has its own: an address, or a /64 of IPv6, whatever a client says of where it comes from", async () => {
  const { get } = await serve(1);
  const statuses = [];
  for (const client of [
    "203.0.113.7",
    "203.0.113.8",
    "203.0.113.9, 203.0.113.8",
    "::ffff:203.0.113.7",
    "2001:db8::1",
    "2001:db8:0:0:7::1",
    "2001:db8:0:1::1",
  ])
    statuses.push((await get(client)).status);
  expect(statuses).toEqual([200, 200, 429, 429, 200, 429, 200]);
});

test("who has a bucket keeps it when others at its address have used up theirs; an unknown token gives none", async () => {
  const { get } = await serve(1);
  await get("203.0.113.7");
  const statusWith = async (authorization: string, client: string) => (await get(client, "/counted", { authorization })).status;
  expect(await statusWith("invented", "203.0.113.7")).toBe(429);
  expect(await statusWith("a-token-that-was-checked", "203.0.113.7")).toBe(200);
  expect(await statusWith("a-token-that-was-checked", "203.0.113.8")).toBe(429);
});

test("addresses that are not there count too; health and exempt routes, and what a proxy asks for itself, do not", async () => {
  const { get } = await serve(1);
  expect((await get("203.0.113.7", "/nowhere")).status).toBe(404);
  expect((await get("203.0.113.7", "/nowhere")).status).toBe(429);
  for (const path of ["/free", "/health/live", "/health/ready"]) {
    const { status, headers } = await get("203.0.113.7", path);
    expect([status, headers.get("ratelimit-limit")], path).toEqual([200, null]);
  }
  for (let times = 0; times < 3; times++) expect((await get(undefined)).status).toBe(200);
});

test("nobody is believed who is not a trusted proxy", async () => {
  const { get } = await serve(1, ["192.0.2.1"]);
  expect((await get("203.0.113.7")).status).toBe(200);
  expect((await get("203.0.113.8")).status).toBe(429);
});
