import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { formatEnvelope, parseEnvelope } from "@quorate/attestation/dsse";
import { textOf, utf8 } from "@quorate/protocol/utf8";
import { silentLogger } from "@quorate/service/logger";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { runWatch } from "../../services/cli/src/commands/watch.ts";
import { recordingContext } from "../../services/cli/src/recording-terminal.fixture.ts";
import { startFleet } from "../../services/fleet/src/start.ts";
import { anyAge } from "../audited-host.ts";
import { ReproducedPrograms, otherPerl, plant, ready } from "../reproduced-programs.ts";

const token = "administrators-only";
const authorization = `Basic ${btoa(`admin:${token}`)}`;

let programs: ReproducedPrograms;
beforeAll(async () => void (programs = await ReproducedPrograms.start()));
afterAll(() => programs?.[Symbol.asyncDispose]());

/** What becomes of a report that passes, given those before it; `undefined` when it is lost. */
type Tampering = (body: Buffer, before: readonly Buffer[]) => Uint8Array | undefined;

/** Whoever is between a host and its fleet: passes everything on, until it is told to tamper with reports. */
async function startBetween(fleet: string) {
  const passed: Buffer[] = [];
  const state: { tampering?: Tampering; statuses: (number | undefined)[] } = { statuses: [] };
  const server = createServer((request, response) => {
    void (async () => {
      const body = await buffer(request);
      const isReport = request.method === "POST";
      const sent = isReport && state.tampering !== undefined ? state.tampering(body, passed) : body;
      if (isReport && state.tampering === undefined) passed.push(body);
      if (sent === undefined) {
        state.statuses.push(undefined);
        return void response.writeHead(200, { "content-type": "application/json" }).end("{}");
      }
      const headers = { "content-type": request.headers["content-type"] ?? "application/json" };
      const answer = await fetch(`${fleet}${request.url}`, isReport ? { method: "POST", headers, body: new Uint8Array(sent) } : {});
      if (isReport && state.tampering !== undefined) state.statuses.push(answer.status);
      response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" }).end(await answer.text());
    })().catch(() => response.destroy());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${port}`, passed, state, [Symbol.asyncDispose]: close };
}

/** As if the host had found nothing. */
function callClean(body: Buffer): Uint8Array {
  const { payload, signatures } = parseEnvelope(body);
  const text = textOf(payload)
    .replace('"outcome":"tampering"', '"outcome":"clean"')
    .replace(/"findings":\[.*?\]/, '"findings":[]');
  expect(text).not.toBe(textOf(payload));
  return formatEnvelope({ payload: utf8(text), signatures });
}

test.each<[string, Tampering, number | undefined]>([
  ["is called clean on its way", callClean, 403],
  ["is replaced by the first that the host sent", (_body, [first]) => first, 409],
  ["is replaced by the one before, which said that all was well", (_body, before) => before.at(-1), 200],
  ["is lost, and the host hears that it was taken", () => undefined, undefined],
])(
  "a report of a host that was tampered with, which %s: the host is silent at its fleet, and never clean",
  async (what, tampering, status) => {
    await using running = await programs.startRoot();
    const [hostsFile, key] = [join(programs.directory, `hosts of ${what}`), join(programs.directory, `key of ${what}`)];
    await writeFile(hostsFile, "");
    let clock = Date.parse("2026-11-25T15:00:00Z");
    const dataDirectory = join(programs.directory, `fleet of ${what}`);
    const settings = { dataDirectory, hostsFile, token, host: "127.0.0.1", port: 0, silenceSeconds: 180 };
    await using fleet = await startFleet(settings, { logger: silentLogger, now: () => clock });
    await using between = await startBetween(fleet.url);
    const stateNow = async () => {
      const answer = await fetch(`${fleet.url}/v1/hosts`, { headers: { authorization } });
      return ((await answer.json()) as { hosts: { state: string }[] }).hosts[0]?.state;
    };
    const ending = new AbortController();
    const { said, printed, ...context } = recordingContext();
    const options = { root: running.place, snapshot: programs.snapshot, freshness: anyAge, interval: 1, fleet: between.url, key };
    const watched = runWatch(options, { ...context, signal: ending.signal });
    await vi.waitFor(() => expect(said.join("\n")).toContain("add its line to the hosts file"), { timeout: 30_000 });
    await writeFile(hostsFile, `${said[0]?.split("\n")[1]}\n`);
    await vi.waitFor(async () => expect(await stateNow()).toBe("clean"), { timeout: 30_000 });
    // Another program that was rebuilt: a second report, and all is still well.
    await running.run(["/usr/bin/perl", "-e", ready]);
    await vi.waitFor(() => expect(between.passed.length).toBeGreaterThan(1), { timeout: 30_000 });
    await vi.waitFor(() => expect(printed.at(-1)).toMatch(/clean/), { timeout: 30_000 });
    between.state.tampering = tampering;
    await plant(join(running.root, "tmp/evil"), await otherPerl(running.root));
    await running.run(["/tmp/evil", "-e", ready]);
    await vi.waitFor(() => expect(between.state.statuses).toContain(status), { timeout: 30_000 });
    expect(printed.join("\n")).toMatch(/^unowned {2}\/tmp\/evil/m);
    clock += 181_000;
    expect(await stateNow()).toBe("silent");
    ending.abort();
    expect(await watched).toBe(130);
  },
);
