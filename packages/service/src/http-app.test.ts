import { connect } from "node:net";
import { once } from "node:events";
import { problemSchema } from "@quorate/protocol/problem";
import { afterEach, expect, test } from "vitest";
import { z } from "zod";
import { createHttpApp } from "./http-app.ts";
import type { HttpApp } from "./http-app.ts";
import { listen } from "./listen.ts";
import { silentLogger } from "./logger.ts";
import { Metrics } from "./metrics.ts";
import { ProblemError } from "./problem.ts";

const started: HttpApp[] = [];
afterEach(async () => {
  for (const app of started.splice(0)) await app.close();
});

async function serve(options: Partial<Parameters<typeof createHttpApp>[0]> = {}): Promise<string> {
  const app = createHttpApp({ logger: silentLogger, bodyLimitBytes: 100, ...options });
  started.push(app);
  app.post("/things", { schema: { body: z.object({ name: z.string() }) } }, async (request) => ({ hello: request.body.name }));
  app.get("/full", async () => {
    throw new ProblemError(503, "pool-full", "the pool is full; try again", { headers: { "retry-after": "1" }, extensions: { index: 7 } });
  });
  app.get("/broken", async () => {
    throw new Error("the secret reason");
  });
  app.get("/full-disk", async () => {
    throw new Error("saving", { cause: Object.assign(new Error("could not extend file"), { code: "53100" }) });
  });
  return listen(app, { host: "127.0.0.1", port: 0 });
}

async function problemOf(response: Response) {
  expect(response.headers.get("content-type")).toContain("application/problem+json");
  const problem = problemSchema.parse(await response.json());
  expect(problem.status).toBe(response.status);
  return problem;
}

const post = (url: string, body: string, type = "application/json") =>
  fetch(`${url}/things`, { method: "POST", body, headers: { "content-type": type } });

test("counts the requests that were answered with a problem, by status", async () => {
  const url = await serve({ metrics: new Metrics() });
  for (const body of ['{"name":"x"}', "{}", "{", "x".repeat(200)]) await post(url, body);
  await fetch(`${url}/nowhere`);
  const text = await (await fetch(`${url}/metrics`)).text();
  const counted = [400, 404, 413].map((status, place) => `http_problems_total{status="${status}"} ${[2, 1, 1][place]}`);
  expect(
    text
      .split("\n")
      .filter((line) => line.startsWith("http_problems_total"))
      .sort(),
  ).toEqual(counted);
});

test("answers a request that fits its schema", async () => {
  const response = await post(await serve(), '{"name":"x"}');
  expect(await response.json()).toEqual({ hello: "x" });
});

test.each([
  ["a body that does not fit", '{"name":1}', "application/json", 400, "invalid-request", "body/name must be of type string, not number"],
  ["a body without a field", "{}", "application/json", 400, "invalid-request", "body/name is missing"],
  ["a body of another kind", "[]", "application/json", 400, "invalid-request", ": body must be of type object, not array"],
  ["a body that is not JSON", "{", "application/json", 400, "invalid-request", "the body is not JSON"],
  ["an empty body", "", "application/json", 400, "invalid-request", "the body is empty"],
  ["a body that is too large", JSON.stringify("x".repeat(200)), "application/json", 413, "body-too-large", "larger than the 100 bytes"],
  ["a media type nobody reads", "x", "image/png", 415, "unsupported-media-type", "content-type image/png are not read here; send"],
  ["text", '{"name":"x"}', "text/plain", 415, "unsupported-media-type", "content-type text/plain are not read here; send"],
])("answers %s with problem+json that says what is wrong", async (_what, body, type, status, kind, detail) => {
  const response = await post(await serve(), body, type);
  expect(response.status).toBe(status);
  const problem = await problemOf(response);
  expect(problem.type).toBe(`https://quorate.dev/problems/${kind}`);
  expect(problem.detail).toContain(detail);
});

test("names the field that does not fit", async () => {
  const problem = await problemOf(await post(await serve(), '{"name":1}'));
  expect(problem.errors?.[0]?.path).toBe("body/name");
});

test("answers an unknown path and a path that cannot be decoded with problem+json", async () => {
  const url = await serve();
  expect((await problemOf(await fetch(`${url}/nowhere`))).status).toBe(404);
  expect((await problemOf(await fetch(`${url}/%E0%A4%A`))).status).toBe(400);
});

test("writes a route's problem with its headers and extensions", async () => {
  const response = await fetch(`${await serve()}/full`);
  expect(response.headers.get("retry-after")).toBe("1");
  expect(await problemOf(response)).toMatchObject({ title: "Pool full", index: 7 });
});

test("does not tell a stranger why it broke", async () => {
  const response = await fetch(`${await serve()}/broken`);
  expect(response.status).toBe(500);
  expect(JSON.stringify(await problemOf(response))).not.toContain("secret reason");
});

test("says that its disk is full", async () => {
  const response = await fetch(`${await serve()}/full-disk`);
  expect(response.headers.get("retry-after")).toBe("60");
  expect(await problemOf(response)).toMatchObject({ status: 507, detail: expect.stringContaining("make room, then try again") });
});

test("answers bytes that are not HTTP with problem+json and closes", async () => {
  const { port, hostname } = new URL(await serve());
  const socket = connect(Number(port), hostname);
  socket.write("no http\r\n\r\n");
  const [data] = await once(socket, "data");
  expect(String(data)).toMatch(/^HTTP\/1.1 400 Bad Request\r\n.*problems\/malformed-http/s);
  await once(socket, "close");
});

test("answers headers that are too large with problem+json that says so", async () => {
  const { port, hostname } = new URL(await serve());
  const socket = connect(Number(port), hostname);
  socket.write(`GET / HTTP/1.1\r\nhost: x\r\nx: ${"y".repeat(20_000)}\r\n\r\n`);
  const [data] = await once(socket, "data");
  expect(String(data)).toMatch(/^HTTP\/1.1 431 .*problems\/headers-too-large/s);
});

test("is live always, and ready only when every check passes", async () => {
  const url = await serve({ readiness: { disk: async () => undefined, queue: async () => Promise.reject(new Error("no connection")) } });
  expect((await fetch(`${url}/health/live`)).status).toBe(200);
  const response = await fetch(`${url}/health/ready`);
  expect(response.status).toBe(503);
  expect((await problemOf(response)).detail).toBe("queue: no connection");
});

test("says what to do when the port is taken", async () => {
  const port = Number(new URL(await serve()).port);
  const second = createHttpApp({ logger: silentLogger });
  started.push(second);
  await expect(listen(second, { host: "127.0.0.1", port })).rejects.toThrow(
    `listening on 127.0.0.1:${port}: another process holds this port`,
  );
});

test("closes when the request under way is answered, though its connection is kept alive", async () => {
  const app = createHttpApp({ logger: silentLogger });
  const arrived = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<string>();
  const closing = Promise.withResolvers<void>();
  app.addHook("preClose", async () => closing.resolve());
  app.get("/slow", async () => {
    arrived.resolve();
    return answer.promise;
  });
  const url = await listen(app, { host: "127.0.0.1", port: 0 });
  const response = fetch(`${url}/slow`);
  await arrived.promise;
  const closed = app.close();
  await closing.promise;
  answer.resolve("done");
  const answered = await response;
  expect(answered.headers.get("connection")).toBe("close");
  expect(await answered.text()).toBe("done");
  await closed;
});

test("closing does not wait for a connection that has sent nothing yet", async () => {
  const app = createHttpApp({ logger: silentLogger });
  const { hostname, port } = new URL(await listen(app, { host: "127.0.0.1", port: 0 }));
  const accepted = once(app.server, "connection");
  const socket = connect(Number(port), hostname);
  const ended = once(socket, "close");
  await accepted;
  await app.close();
  await ended;
  expect(socket.destroyed).toBe(true);
}, 10_000);
