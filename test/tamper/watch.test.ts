import { once } from "node:events";
import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { type AddressInfo, type Socket, createServer } from "node:net";
import { join } from "node:path";
import { silentLogger } from "@quorate/service/logger";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type WatchOptions, runWatch } from "../../services/cli/src/commands/watch.ts";
import { recordingContext } from "../../services/cli/src/recording-terminal.fixture.ts";
import { startFleet } from "../../services/fleet/src/start.ts";
import { anyAge, installDebs } from "../audited-host.ts";
import { ReproducedPrograms, otherPerl, plant, ready } from "../reproduced-programs.ts";
import type { RunningRoot } from "../running-root.ts";

let programs: ReproducedPrograms;
beforeAll(async () => void (programs = await ReproducedPrograms.start()));
afterAll(() => programs?.[Symbol.asyncDispose]());

/** A watch of a root, and what it has printed and said. */
function startWatch(running: RunningRoot, options: WatchOptions) {
  const ending = new AbortController();
  const { printed, said, ...context } = recordingContext();
  const given = { root: running.place, snapshot: programs.snapshot, freshness: anyAge, ...options };
  const ended = runWatch(given, { ...context, signal: ending.signal });
  const end = async () => {
    ending.abort();
    return await ended;
  };
  return { printed, said, end };
}

test("what begins between two sweeps is looked at too, and figures are served; at the signal the watch ends", async () => {
  await using running = await programs.startRoot();
  await plant(join(running.root, "tmp/evil"), await otherPerl(running.root));
  const watch = startWatch(running, { interval: 3600, metrics: { host: "127.0.0.1", port: 0 } });
  await vi.waitFor(() => expect(watch.printed).toEqual([`${running.place}: clean, 1 processes`]), { timeout: 30_000 });
  await running.run(["/tmp/evil", "-e", ready]);
  await vi.waitFor(() => expect(watch.printed[1]).toMatch(/^unowned {2}\/tmp\/evil {2}pid/), { timeout: 30_000 });
  const [, url = ""] = /^metrics are at (http.*)$/.exec(watch.said[0] ?? "") ?? [];
  const metrics = await (await fetch(url)).text();
  expect(metrics).toContain("quorate_watch_processes 1\n");
  expect(metrics).toContain('quorate_watch_outcome{outcome="clean"} 1\n');
  expect(metrics).toMatch(/^quorate_watch_new_processes_total [1-9]/m);
  expect(await watch.end()).toBe(130);
});

test("a package that is upgraded while its program runs is noticed at the next sweep", async () => {
  await using running = await programs.startRoot();
  await running.run(["/usr/bin/perl", "-e", ready]);
  const watch = startWatch(running, { interval: 1 });
  await vi.waitFor(() => expect(watch.printed).toEqual([`${running.place}: clean, 2 processes`]), { timeout: 30_000 });
  await installDebs(running.root, [programs.upgrade]);
  await vi.waitFor(() => expect(watch.printed.at(-1)).toBe(`${running.place}: drift, 2 processes`), { timeout: 30_000 });
  expect(watch.printed.join("\n")).toContain("stale-verified  /usr/bin/perl");
  await watch.end();
});

test("a script below a link is looked at where the link leads by now", async () => {
  await using running = await programs.startRoot();
  const [link, evil] = [join(running.root, "tmp/link"), join(running.root, "tmp/evil")];
  await symlink("/usr/bin", link);
  const before = await running.run(["/tmp/link/script"]);
  const watch = startWatch(running, { interval: 1 });
  await vi.waitFor(() => expect(watch.printed).toEqual([`${running.place}: clean, 2 processes`]), { timeout: 30_000 });
  await before.end();
  await mkdir(evil);
  await plant(join(evil, "script"), "#!/bin/sh\necho evil\nread line\n");
  await rm(link);
  await symlink("/tmp/evil", link);
  await running.run(["/tmp/link/script"]);
  await vi.waitFor(() => expect(watch.printed.join("\n")).toMatch(/^unowned {2}\/tmp\/link\/script/m), { timeout: 30_000 });
  await watch.end();
});

test("a host that was enrolled reports to its fleet, and what it runs is seen there", async () => {
  await using running = await programs.startRoot();
  const hostsFile = join(programs.directory, "hosts");
  await writeFile(hostsFile, "");
  const settings = {
    dataDirectory: join(programs.directory, "fleet"),
    token: "administrators-only",
    host: "127.0.0.1",
    port: 0,
    silenceSeconds: 180,
  };
  await using fleet = await startFleet({ ...settings, hostsFile }, { logger: silentLogger });
  const watch = startWatch(running, { interval: 1, fleet: fleet.url, key: join(programs.directory, "key") });
  await vi.waitFor(() => expect(watch.said.join("\n")).toContain("add its line to the hosts file"), { timeout: 30_000 });
  await writeFile(hostsFile, `${watch.said[0]?.split("\n")[1]}\n`);
  const page = async () =>
    await (await fetch(fleet.url, { headers: { authorization: `Basic ${btoa(`admin:${settings.token}`)}` } })).text();
  await vi.waitFor(async () => expect(await page()).toContain("<h1>1 of 1 hosts run exactly"), { timeout: 30_000 });
  await plant(join(running.root, "tmp/evil"), await otherPerl(running.root));
  await running.run(["/tmp/evil", "-e", ready]);
  await vi.waitFor(async () => expect(await page()).toMatch(/<td>unowned<\/td>\s*<td><code>\/tmp\/evil<\/code>/), { timeout: 30_000 });
  await watch.end();
});

test.each<[string, WatchOptions]>([
  ["looks once", { once: true }],
  ["looks less often than its fleet expects", { interval: 61 }],
])("a watch that %s sends no reports, and says so: exit code 3", async (_what, options) => {
  const watched = runWatch({ snapshot: programs.snapshot, fleet: "http://127.0.0.1:9", ...options }, recordingContext());
  await expect(watched).rejects.toMatchObject({ exitCode: 3, message: expect.stringContaining("--fleet") as unknown });
});

test("a fleet that does not answer holds up no look at processes", async () => {
  await using running = await programs.startRoot();
  await plant(join(running.root, "tmp/evil"), await otherPerl(running.root));
  const asked = Promise.withResolvers<Socket>();
  const silent = createServer((socket) => asked.resolve(socket)).listen(0, "127.0.0.1");
  await once(silent, "listening");
  const { port } = silent.address() as AddressInfo;
  const key = join(programs.directory, "key-of-silent");
  const watch = startWatch(running, { interval: 60, fleet: `http://127.0.0.1:${port}`, key });
  const connection = await asked.promise;
  await running.run(["/tmp/evil", "-e", ready]);
  await vi.waitFor(() => expect(watch.printed.join("\n")).toMatch(/^unowned {2}\/tmp\/evil/m), { timeout: 30_000 });
  // It was found before the fleet was given up.
  expect(watch.said.join("\n")).not.toContain("asking the fleet");
  const ended = watch.end();
  connection.destroy();
  expect(await ended).toBe(130);
  expect(watch.said.join("\n")).toContain("quorate: asking the fleet for a challenge: no connection to 127.0.0.1");
  silent.close();
});
