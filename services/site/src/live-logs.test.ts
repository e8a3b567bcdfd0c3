import { digestOf } from "@quorate/attestation/nouns.fixture";
import { parseEventStream } from "@quorate/client/server-sent-events";
import { serve } from "@quorate/client/local-server.fixture";
import { jobIdOf, type LiveMessage } from "@quorate/protocol/job";
import { operatorNamed, TestNetwork } from "@quorate/verdict/network.fixture";
import type { ServerResponse } from "node:http";
import { expect, it } from "vitest";
import { logPartOf } from "./live-logs.ts";
import { startTestSite } from "./site.fixture.ts";

const round = digestOf("round");
const operator = operatorNamed("ada");
const said = (logLines: string[]): LiveMessage => ({ job: jobIdOf(round, operator), round, operator, phase: "building", logLines });

it("asks the coordinator once for all who watch a round, shows who comes later the last lines, and leaves when nobody watches", async () => {
  const open = new Set<ServerResponse>();
  let asked = 0;
  await using coordinator = await serve(({ url }, response) => {
    if (url !== `/v1/rounds/${round}/events`) return void response.writeHead(404).end();
    asked += 1;
    open.add(response);
    response.on("close", () => open.delete(response));
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(`event: live\ndata: ${JSON.stringify(said(["one"]))}\n\n`);
  });
  await using site = await startTestSite(new TestNetwork(), { coordinatorUrl: coordinator.url });
  const leave = new AbortController();
  const watch = async () => {
    const { body } = await fetch(`${site.url}/live/${round}/events`, { signal: leave.signal });
    if (body === null) throw new Error("no body");
    return parseEventStream(body);
  };
  const linesOf = (data: string | undefined): unknown => JSON.parse(data ?? "");
  const early = await watch();
  expect(linesOf((await early.next()).value?.data)).toMatchObject({ operator, phase: "building", lines: ["one"] });
  const late = await watch();
  expect(linesOf((await late.next()).value?.data)).toMatchObject({ lines: ["one"] });
  for (const response of open) response.write(`event: live\ndata: ${JSON.stringify(said(["two"]))}\n\n`);
  for (const reader of [early, late]) expect(linesOf((await reader.next()).value?.data)).toMatchObject({ lines: ["two"] });
  expect(asked).toBe(1);
  leave.abort();
  await expect.poll(() => open.size).toBe(0);
});

it("watches so many rounds and no more, so that the coordinator has connections left for others", async () => {
  let asked = 0;
  await using coordinator = await serve((_request, response) => {
    asked += 1;
    response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
  });
  await using site = await startTestSite(new TestNetwork(), { coordinatorUrl: coordinator.url });
  const leave = new AbortController();
  // One address has not so many streams; who asks is as the proxy in front says.
  const statusOf = async (at: number) => {
    const headers = { "x-forwarded-for": `192.0.2.${at % 4}` };
    return (await fetch(`${site.url}/live/${digestOf(`round ${at}`)}/events`, { headers, signal: leave.signal })).status;
  };
  const statuses = await Promise.all(Array.from({ length: 201 }, (_, at) => statusOf(at)));
  expect(statuses.filter((status) => status === 503)).toHaveLength(1);
  expect(await statusOf(statuses.indexOf(200))).toBe(200);
  await expect.poll(() => asked, { timeout: 10_000 }).toBe(200);
  leave.abort();
});

it("cuts lines that are too long, and shows what nobody would see in them by its number", () => {
  const [long, hostile, escape] = logPartOf(said(["x".repeat(2000), "a\u202eb\u0000<b>\nc", "\u001b[31mred"])).lines;
  expect(long).toBe(`${"x".repeat(500)} … cut`);
  expect(hostile).toBe("a⟨U+202E⟩b⟨U+0000⟩<b> c");
  expect(escape).toBe("⟨U+001B⟩[31mred");
});

it("sends of a flood of lines the last that an event has room for", () => {
  const { lines } = logPartOf(said(Array.from({ length: 500 }, (_, at) => `${at} ${"\u202e".repeat(490)}`)));
  expect(lines.length).toBeGreaterThan(10);
  expect(lines.at(-1)).toMatch(/^499 /);
  expect(Buffer.byteLength(JSON.stringify(lines))).toBeLessThanOrEqual(128 * 1024 + 2);
});
