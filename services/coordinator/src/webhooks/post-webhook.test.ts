import { once } from "node:events";
import { createServer as createNetServer, type AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { createPostWebhook, WebhookError } from "./post-webhook.ts";
import { isPublicAddress } from "./public-address.ts";
import { serve } from "./serve.fixture.ts";

const signal = new AbortController().signal;
const post = createPostWebhook({ isAllowed: () => true, signal, waitMilliseconds: 300 });
const message = { headers: { "webhook-id": "7" }, body: '{"größe":1}' };

test("an endpoint gets the body as it is, and its status is told", async () => {
  const got: object[] = [];
  await using server = await serve(async (request, response) => {
    const body = (await request.toArray()).join("");
    const { method, url, headers } = request;
    got.push({ method, url, type: headers["content-type"], id: headers["webhook-id"], body });
    response.writeHead(202).end();
  });
  expect(await post({ url: server.url, ...message })).toBe(202);
  // A name is asked of the resolver once, before the connection.
  expect(await post({ url: `http://localhost:${server.port}/hook`, ...message })).toBe(202);
  expect(got).toEqual(
    Array.from({ length: 2 }, () => ({ method: "POST", url: "/hook", type: "application/json", id: "7", body: message.body })),
  );
});

test("a redirect is an answer like others: nobody follows it", async () => {
  const asked: (string | undefined)[] = [];
  await using server = await serve((request, response) => {
    asked.push(request.url);
    response.writeHead(307, { location: "/elsewhere" }).end();
  });
  expect(await post({ url: server.url, ...message })).toBe(307);
  expect(asked).toEqual(["/hook"]);
});

test("of an answer without end only the status is read", async () => {
  await using server = await serve((_request, response) => {
    response.writeHead(200);
    const more = () => response.write(Buffer.alloc(65_536), () => setImmediate(more));
    more();
    response.on("error", () => {});
  });
  expect(await post({ url: server.url, ...message })).toBe(200);
});

test("an endpoint that hangs is given up, before its headers and in them", async () => {
  await using hanging = await serve(() => {});
  await expect(post({ url: hanging.url, ...message })).rejects.toThrow("it did not answer in 0.3 s");
  const dripping = createNetServer((socket) => {
    socket.on("error", () => {});
    socket.write("HTTP/1.1 200 OK\r\nx: ");
    const timer = setInterval(() => socket.write("y"), 20);
    socket.on("close", () => clearInterval(timer));
  }).listen(0, "127.0.0.1");
  await once(dripping, "listening");
  const { port } = dripping.address() as AddressInfo;
  await expect(post({ url: `http://127.0.0.1:${port}/`, ...message })).rejects.toThrow("it did not answer in 0.3 s");
  dripping.close();
});

test("an address that is not of the public network is not connected to, by number or by name", async () => {
  let connections = 0;
  await using server = await serve((_request, response) => {
    connections++;
    response.end();
  });
  const postOutside = createPostWebhook({ isAllowed: isPublicAddress, signal });
  const urls = [
    server.url,
    `http://localhost:${server.port}/`,
    `http://[::ffff:127.0.0.1]:${server.port}/`,
    `http://2130706433:${server.port}/`,
  ];
  for (const url of urls) await expect(postOutside({ url, ...message })).rejects.toThrow(/is not an address of the public network/);
  expect(connections).toBe(0);
});

test("what cannot be reached, or does not speak HTTP, is told in words", async () => {
  const closed = createNetServer().listen(0, "127.0.0.1");
  await once(closed, "listening");
  const { port } = closed.address() as AddressInfo;
  closed.close();
  await expect(post({ url: `http://127.0.0.1:${port}/`, ...message })).rejects.toThrow(WebhookError);
  await expect(post({ url: `http://127.0.0.1:${port}/`, ...message })).rejects.toThrow(/ECONNREFUSED/);
  await using plain = await serve((_request, response) => response.end());
  await expect(post({ url: `https://127.0.0.1:${plain.port}/`, ...message })).rejects.toThrow(/SSL|EPROTO/);
});
