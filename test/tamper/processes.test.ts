import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { appendFile, cp, mkdir, mkdtemp, open, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { type AddressInfo, type Socket, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { parseCodeMappings } from "@quorate/host/runtime/process-maps";
import { silentLogger } from "@quorate/service/logger";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type ExplainOptions, runExplain } from "../../services/cli/src/commands/explain.ts";
import { type WatchOptions, runWatch } from "../../services/cli/src/commands/watch.ts";
import { startFleet } from "../../services/fleet/src/start.ts";
import { recordingContext } from "../../services/cli/src/recording-terminal.fixture.ts";
import { ReproducedPackages, anyAge, createRoot, installDebs } from "../audited-host.ts";
import { quorateUnder } from "../quorate.ts";
import { RunningRoot, type Started, programFiles } from "../running-root.ts";
import { buildSmallDeb } from "../small-deb.ts";

const run = promisify(execFile);

/** A perl that says its pid, and waits for the end of its input. */
const ready = '$| = 1; print "$$\n"; <STDIN>;';
/** mmap, memfd_create and ptrace of this architecture. */
const [mmap, memfd, ptrace] = process.arch === "arm64" ? [222, 279, 117] : [9, 319, 101];
/** A perl that is in no file system. */
const inMemory = [
  `$^F = 99; $name = "evil"; $fd = syscall(${memfd}, $name, 0);`,
  'open IN, "/usr/bin/perl"; binmode IN; open OUT, ">&=", $fd; binmode OUT; $/ = undef; select OUT; $| = 1; print <IN>; select STDOUT;',
  `exec "/proc/self/fd/$fd", "-e", '${ready}';`,
].join(" ");

let directory = "";
let network: ReproducedPackages;
let upgrade = "";
/** A library of a package, as the package has it. */
let libm = "";
const clean = () => join(directory, "clean");
const snapshot = () => join(directory, "snapshot");

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "quorate-processes-"));
  network = await ReproducedPackages.start(directory);
  const files = await programFiles({ "usr/bin/perl": "/usr/bin/perl", "usr/bin/sh": "/bin/dash" });
  const { "usr/bin/perl": perl = new Uint8Array(), ...others } = files;
  libm = Object.keys(files).find((path) => path.includes("/libm.so")) ?? "";
  const modes = Object.fromEntries(Object.keys(files).map((path) => [path, 0o755]));
  const script = "#!/bin/sh\necho ready\nread line\n";
  const base = await buildSmallDeb(directory, { name: "base", files: { ...others, "usr/bin/script": script }, modes });
  const tool = await buildSmallDeb(directory, { name: "tool", files: { "usr/bin/perl": perl } });
  upgrade = await buildSmallDeb(directory, {
    name: "tool",
    version: "1.1",
    files: { "usr/bin/perl": Buffer.concat([perl, Buffer.from("1.1")]) },
  });
  for (const deb of [base, tool, upgrade]) await network.reproduce(deb);
  await network.publish();
  await network.sync(snapshot());
  await createRoot(clean());
  await installDebs(clean(), [base, tool]);
});
afterAll(async () => {
  await network?.[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

type Answer = {
  code: number;
  outcome: string;
  processes: number;
  counts: Record<string, number>;
  findings: { class: string; path: string; pids: number[] }[];
  unseen: string[];
};

async function watch(running: RunningRoot, options: WatchOptions = {}): Promise<Answer> {
  const context = recordingContext();
  const code = await runWatch(
    { once: true, root: running.place, snapshot: snapshot(), freshness: anyAge, json: true, ...options },
    context,
  );
  return { code, ...(context.json[0] as Omit<Answer, "code">) };
}

const found = ({ findings }: Answer) => findings.map((finding) => `${finding.class} ${finding.path}`);

/** A copy of the clean root with a process 1; `root` is where it is on the disk. */
async function startRoot(): Promise<RunningRoot & { root: string }> {
  const root = join(await mkdtemp(join(directory, "root-")), "root");
  await cp(clean(), root, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  for (const name of ["tmp", "opt", "dev"]) await mkdir(join(root, name));
  await writeFile(join(root, "dev/null"), "");
  return Object.assign(await RunningRoot.start(root, "/usr/bin/sh"), { root });
}

const plant = (place: string, content: string | Uint8Array) => writeFile(place, content, { mode: 0o755 });
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const perlOf = (root: string) => readFile(join(root, "usr/bin/perl"));

describe("what processes run is found, with its class and its exit code", () => {
  type Running = RunningRoot & { root: string };
  const evil = Buffer.from("evil");
  const cases: [string, (running: Running) => Promise<unknown>, string, number][] = [
    [
      "a program was upgraded, and the one before still runs",
      async (running) => {
        const process = await running.run(["/usr/bin/perl", "-e", ready]);
        await installDebs(running.root, [upgrade]);
        return process;
      },
      "stale-verified /usr/bin/perl",
      1,
    ],
    [
      "a program that nobody rebuilt was deleted, and still runs",
      async (running) => {
        await plant(join(running.root, "usr/bin/evil"), Buffer.concat([await perlOf(running.root), evil]));
        const process = await running.run(["/usr/bin/evil", "-e", ready]);
        await rm(join(running.root, "usr/bin/evil"));
        return process;
      },
      "deleted /usr/bin/evil",
      2,
    ],
    [
      "a program of a package has other bytes",
      async (running) => {
        await appendFile(join(running.root, "usr/bin/perl"), evil);
        return await running.run(["/usr/bin/perl", "-e", ready]);
      },
      "modified /usr/bin/perl",
      2,
    ],
    [
      "a library of a package was replaced",
      async (running) => {
        const library = join(running.root, libm);
        await plant(`${library}.new`, Buffer.concat([await readFile(library), evil]));
        await rename(`${library}.new`, library);
        return await running.run(["/usr/bin/perl", "-e", ready]);
      },
      "modified /usr/lib/",
      2,
    ],
    [
      "a program runs from where anybody may write",
      async (running) => {
        await plant(join(running.root, "tmp/evil"), Buffer.concat([await perlOf(running.root), evil]));
        return await running.run(["/tmp/evil", "-e", ready]);
      },
      "unowned /tmp/evil",
      2,
    ],
    [
      "a program runs from where administrators put theirs",
      async (running) => {
        await plant(join(running.root, "opt/own"), Buffer.concat([await perlOf(running.root), evil]));
        return await running.run(["/opt/own", "-e", ready]);
      },
      "local-program /opt/own",
      1,
    ],
    [
      "a verified interpreter runs a script that nobody rebuilt",
      async (running) => {
        await plant(join(running.root, "tmp/evil.sh"), "#!/bin/sh\necho evil\nread line\n");
        return await running.run(["/tmp/evil.sh"]);
      },
      "unowned /tmp/evil.sh",
      2,
    ],
    [
      "a script of a package has other content",
      async (running) => {
        await appendFile(join(running.root, "usr/bin/script"), "evil\n");
        return await running.run(["/usr/bin/script"]);
      },
      "modified /usr/bin/script",
      2,
    ],
    [
      "a library that nobody rebuilt is loaded by the environment",
      async (running) => {
        await plant(join(running.root, "opt/evil.so"), Buffer.concat([await readFile(join(running.root, libm)), evil]));
        return await running.run(["/usr/bin/sh", "-c", 'LD_PRELOAD=/opt/evil.so exec /usr/bin/perl -e "$0"', ready]);
      },
      "preloaded /opt/evil.so",
      2,
    ],
    ["a program that was only ever in memory", (running) => running.run(["/usr/bin/perl", "-e", inMemory]), "memory-file /memfd:evil", 2],
    [
      "executable memory of no file",
      (running) => running.run(["/usr/bin/perl", "-e", `syscall(${mmap}, 0, 4096, 5, 34, -1, 0); ${ready}`]),
      "anonymous-code [anonymous]",
      2,
    ],
    [
      "memory of a file that is writable and executable",
      (running) => running.run(["/usr/bin/perl", "-e", `open F, "/usr/bin/perl"; syscall(${mmap}, 0, 4096, 7, 2, fileno(F), 0); ${ready}`]),
      "writable-code /usr/bin/perl",
      2,
    ],
    ["another process wrote to the text", (running) => writeText(running, (bytes) => bytes.fill(0xcc)), "text-modified /usr/bin/perl", 2],
    [
      "another process wrote to the text, and wrote it back",
      (running) => writeText(running, (bytes) => bytes),
      "text-was-modified /usr/bin/perl",
      1,
    ],
    [
      "another process traces one that has a name to hide that",
      (running) =>
        running.run([
          "/usr/bin/sh",
          "-c",
          '/usr/bin/perl -e "$0"; exit',
          `syscall(${ptrace}, 0, 0, 0, 0); $0 = "a\\rTracerPid:\\t0"; ${ready}`,
        ]),
      "traced /usr/bin/perl",
      1,
    ],
    [
      "a file system is mounted over what the kernel says of a process",
      async (running) => {
        const process = await running.run(["/usr/bin/perl", "-e", ready]);
        await run("nsenter", ["--target", running.pid, "--mount", "mount", "--bind", "/var", `${running.root}/proc/${process.said}`]);
        return process;
      },
      "hidden /proc/",
      2,
    ],
  ];
  test.each(cases)("%s", async (_what, start, finding, code) => {
    await using running = await startRoot();
    await start(running);
    const answer = await watch(running);
    expect(found(answer)).toContainEqual(expect.stringContaining(finding));
    expect(answer.code).toBe(code);
  });
});

/** Writes to a program's text as a debugger does. */
async function writeText(running: RunningRoot, change: (bytes: Buffer) => Buffer): Promise<Started> {
  const process = await running.run(["/usr/bin/perl", "-e", ready]);
  const proc = `${running.place}/proc/${process.said}`;
  const text = parseCodeMappings(await readFile(`${proc}/maps`, "utf8")).find(({ path }) => path.endsWith("/usr/bin/perl"));
  await using memory = await open(`${proc}/mem`, "r+");
  const { buffer } = await memory.read(Buffer.alloc(16), 0, 16, text?.startAddress);
  await memory.write(change(buffer), 0, 16, text?.startAddress);
  return process;
}

test("processes of verified packages have no finding, and exit code 0", async () => {
  await using running = await startRoot();
  await running.run(["/usr/bin/perl", "-e", ready]);
  await running.run(["/usr/bin/script"]);
  const answer = await watch(running);
  expect(found(answer)).toEqual([]);
  expect(answer).toMatchObject({ code: 0, outcome: "clean", processes: 3 });
  expect(answer.counts["verified"]).toBeGreaterThan(5);
});

test("a process is explained: what it runs, from the package to the witnesses", async () => {
  await using running = await startRoot();
  const { said: pid } = await running.run(["/usr/bin/perl", "-e", ready]);
  const explain = async (options: ExplainOptions = {}) => {
    const context = recordingContext();
    const code = await runExplain(pid, { root: running.place, snapshot: snapshot(), freshness: anyAge, ...options }, context);
    return { code, text: context.printed.join("\n"), json: context.json[0] };
  };
  const { code, text } = await explain();
  expect(code).toBe(0);
  expect(text).toMatch(/^process \d+ \("perl"\) runs:\n {2}verified {2}\/usr\/bin\/perl {2}pid \d+ \(tool\)$/m);
  for (const name of ["base", "tool"]) expect(text).toMatch(new RegExp(`^ {2}package {5}${name} 1\\.0 \\(all\\)`, "m"));
  expect(text).toMatch(/^ {2}witnesses {3}w\d\.example at 1970/m);
  await installDebs(running.root, [upgrade]);
  expect(await explain({ json: true })).toMatchObject({
    code: 1,
    json: { outcome: "drift", findings: expect.arrayContaining([expect.objectContaining({ class: "stale-verified", package: "tool" })]) },
  });
});

test("a process that is not there is not explained: exit code 3", async () => {
  await using running = await startRoot();
  const options = { root: running.place, snapshot: snapshot(), freshness: anyAge };
  await expect(runExplain("4194304", options, recordingContext())).rejects.toMatchObject({ exitCode: 3 });
});

test("what begins between two sweeps is looked at too, and figures are served; at the signal the watch ends", async () => {
  await using running = await startRoot();
  await plant(join(running.root, "tmp/evil"), Buffer.concat([await perlOf(running.root), Buffer.from("evil")]));
  const ending = new AbortController();
  const context = { ...recordingContext(), signal: ending.signal };
  const options = { root: running.place, snapshot: snapshot(), freshness: anyAge, interval: 3600, metrics: { host: "127.0.0.1", port: 0 } };
  const ended = runWatch(options, context);
  await vi.waitFor(() => expect(context.printed).toEqual([`${running.place}: clean, 1 processes`]), { timeout: 30_000 });
  await running.run(["/tmp/evil", "-e", ready]);
  await vi.waitFor(() => expect(context.printed[1]).toMatch(/^unowned {2}\/tmp\/evil {2}pid/), { timeout: 30_000 });
  const [, url = ""] = /^metrics are at (http.*)$/.exec(context.said[0] ?? "") ?? [];
  const metrics = await (await fetch(url)).text();
  expect(metrics).toContain("quorate_watch_processes 1\n");
  expect(metrics).toContain('quorate_watch_outcome{outcome="clean"} 1\n');
  expect(metrics).toMatch(/^quorate_watch_new_processes_total [1-9]/m);
  ending.abort();
  expect(await ended).toBe(130);
});

test("a package that is upgraded while its program runs is noticed at the next sweep", async () => {
  await using running = await startRoot();
  await running.run(["/usr/bin/perl", "-e", ready]);
  const ending = new AbortController();
  const context = { ...recordingContext(), signal: ending.signal };
  const ended = runWatch({ root: running.place, snapshot: snapshot(), freshness: anyAge, interval: 1 }, context);
  await vi.waitFor(() => expect(context.printed).toEqual([`${running.place}: clean, 2 processes`]), { timeout: 30_000 });
  await installDebs(running.root, [upgrade]);
  await vi.waitFor(() => expect(context.printed.at(-1)).toBe(`${running.place}: drift, 2 processes`), { timeout: 30_000 });
  expect(context.printed.join("\n")).toContain("stale-verified  /usr/bin/perl");
  ending.abort();
  await ended;
});

test("a script below a link is looked at where the link leads by now", async () => {
  await using running = await startRoot();
  const [link, evil] = [join(running.root, "tmp/link"), join(running.root, "tmp/evil")];
  await symlink("/usr/bin", link);
  const before = await running.run(["/tmp/link/script"]);
  const ending = new AbortController();
  const context = { ...recordingContext(), signal: ending.signal };
  const ended = runWatch({ root: running.place, snapshot: snapshot(), freshness: anyAge, interval: 1 }, context);
  await vi.waitFor(() => expect(context.printed).toEqual([`${running.place}: clean, 2 processes`]), { timeout: 30_000 });
  await before.end();
  await mkdir(evil);
  await plant(join(evil, "script"), "#!/bin/sh\necho evil\nread line\n");
  await rm(link);
  await symlink("/tmp/evil", link);
  await running.run(["/tmp/link/script"]);
  await vi.waitFor(() => expect(context.printed.join("\n")).toMatch(/^unowned {2}\/tmp\/link\/script/m), { timeout: 30_000 });
  ending.abort();
  await ended;
});

test("a host that was enrolled reports to its fleet, and what it runs is seen there", async () => {
  await using running = await startRoot();
  const hostsFile = join(directory, "hosts");
  await writeFile(hostsFile, "");
  const settings = {
    dataDirectory: join(directory, "fleet"),
    token: "administrators-only",
    host: "127.0.0.1",
    port: 0,
    silenceSeconds: 180,
  };
  await using fleet = await startFleet({ ...settings, hostsFile }, { logger: silentLogger });
  const ending = new AbortController();
  const context = { ...recordingContext(), signal: ending.signal };
  const options = {
    root: running.place,
    snapshot: snapshot(),
    freshness: anyAge,
    interval: 1,
    fleet: fleet.url,
    key: join(directory, "key"),
  };
  const ended = runWatch(options, context);
  await vi.waitFor(() => expect(context.said.join("\n")).toContain("add its line to the hosts file"), { timeout: 30_000 });
  await writeFile(hostsFile, `${context.said[0]?.split("\n")[1]}\n`);
  const page = async () => await (await fetch(fleet.url, { headers: { authorization: `Bearer ${settings.token}` } })).text();
  await vi.waitFor(async () => expect(await page()).toContain("<h1>1 of 1 hosts run exactly"), { timeout: 30_000 });
  await plant(join(running.root, "tmp/evil"), Buffer.concat([await perlOf(running.root), Buffer.from("evil")]));
  await running.run(["/tmp/evil", "-e", ready]);
  await vi.waitFor(async () => expect(await page()).toMatch(/<td>unowned<\/td>\s*<td><code>\/tmp\/evil<\/code>/), { timeout: 30_000 });
  ending.abort();
  await ended;
});

test.each<[string, WatchOptions]>([
  ["looks once", { once: true }],
  ["looks less often than its fleet expects", { interval: 61 }],
])("a watch that %s sends no reports, and says so: exit code 3", async (_what, options) => {
  const watched = runWatch({ snapshot: snapshot(), fleet: "http://127.0.0.1:9", ...options }, recordingContext());
  await expect(watched).rejects.toMatchObject({ exitCode: 3, message: expect.stringContaining("--fleet") as unknown });
});

test("a fleet that does not answer holds up no look at processes", async () => {
  await using running = await startRoot();
  await plant(join(running.root, "tmp/evil"), Buffer.concat([await perlOf(running.root), Buffer.from("evil")]));
  const asked = Promise.withResolvers<Socket>();
  const silent = createServer((socket) => asked.resolve(socket)).listen(0, "127.0.0.1");
  await once(silent, "listening");
  const { port } = silent.address() as AddressInfo;
  const ending = new AbortController();
  const context = { ...recordingContext(), signal: ending.signal };
  const key = join(directory, "key-of-silent");
  const options = { root: running.place, snapshot: snapshot(), freshness: anyAge, interval: 60, fleet: `http://127.0.0.1:${port}`, key };
  const ended = runWatch(options, context);
  const connection = await asked.promise;
  await running.run(["/tmp/evil", "-e", ready]);
  await vi.waitFor(() => expect(context.printed.join("\n")).toMatch(/^unowned {2}\/tmp\/evil/m), { timeout: 30_000 });
  // It was found before the fleet was given up.
  expect(context.said.join("\n")).not.toContain("asking the fleet");
  ending.abort();
  connection.destroy();
  expect(await ended).toBe(130);
  expect(context.said.join("\n")).toContain("quorate: asking the fleet for a challenge: no connection to 127.0.0.1");
  silent.close();
});

test("the policy lets verified bytes make code in memory, and nothing that only has their name", async () => {
  await using running = await startRoot();
  const makesCode = `syscall(${mmap}, 0, 4096, 5, 34, -1, 0); ${ready}`;
  await running.run(["/usr/bin/perl", "-e", makesCode]);
  const jit = join(directory, "jit");
  await writeFile(jit, `sha256 ${sha256(await perlOf(running.root))}\n`);
  expect(await watch(running, { jit })).toMatchObject({ code: 0, counts: { "generated-code": 1 } });
  await writeFile(jit, "package tool\n");
  expect(await watch(running, { jit })).toMatchObject({ code: 0, counts: { "generated-code": 1 } });
  await plant(join(running.root, "opt/perl"), Buffer.concat([await perlOf(running.root), Buffer.from("evil")]));
  await running.run(["/opt/perl", "-e", makesCode]);
  const answer = await watch(running, { jit });
  expect(found(answer)).toContain("anonymous-code [anonymous]");
  expect(answer.code).toBe(2);
});

test("a program of a package that nobody has reproduced is unverified: exit code 1", async () => {
  await using running = await startRoot();
  const own = Buffer.concat([await perlOf(running.root), Buffer.from("own")]);
  const deb = await buildSmallDeb(running.root, { name: "own", files: { "usr/bin/own": own }, modes: { "usr/bin/own": 0o755 } });
  await installDebs(running.root, [deb]);
  await running.run(["/usr/bin/own", "-e", ready]);
  const answer = await watch(running);
  expect(answer.findings).toContainEqual(expect.objectContaining({ class: "unverified", path: "/usr/bin/own", package: "own" }));
  expect(answer.code).toBe(1);
});

test("without the capabilities for it processes are not looked at, and the report says so: never exit code 0", async () => {
  const alone = [
    "unshare",
    "--pid",
    "--mount",
    "--fork",
    "--mount-proc",
    "sh",
    "-c",
    'setpriv --bounding-set -all --inh-caps -all "$@"; exit $?',
  ];
  const words = ["watch", "--once", "--json", "--snapshot", snapshot(), "--freshness", "999999"];
  const { code, stdout } = await quorateUnder([...alone, "sh"], words);
  const { findings } = JSON.parse(stdout) as Answer;
  expect(findings).toContainEqual(expect.objectContaining({ class: "unreadable", pids: [1] }));
  expect(code).toBe(3);
});

/** Another process changes what a program works with, and none of its code. */
async function writeData(running: RunningRoot): Promise<Started> {
  const process = await running.run(["/usr/bin/perl", "-e", ready]);
  const proc = `${running.place}/proc/${process.said}`;
  const [, address = ""] = /^([0-9a-f]+)-[0-9a-f]+ rw-p .*\/perl$/m.exec(await readFile(`${proc}/maps`, "utf8")) ?? [];
  await using memory = await open(`${proc}/mem`, "r+");
  await memory.write(Buffer.alloc(16, 0xee), 0, 16, Number.parseInt(address, 16) + 2048);
  return process;
}

describe("what no look at processes can see, it does not report; every report says so", () => {
  test.each<[string, (running: RunningRoot & { root: string }) => Promise<unknown>, RegExp]>([
    [
      "an interpreter was given its code as an argument",
      (running) => running.run(["/usr/bin/perl", "-e", `my $evil = 1; ${ready}`]),
      /arguments/,
    ],
    ["data of a verified program was overwritten", writeData, /data/],
    [
      "a process has begun and ended",
      async (running) => {
        const { end } = await running.run(["/usr/bin/perl", "-e", ready]);
        await end();
      },
      /between two looks/,
    ],
  ])("%s", async (_what, start, said) => {
    await using running = await startRoot();
    await start(running);
    const answer = await watch(running);
    expect(answer).toMatchObject({ code: 0, findings: [], unseen: expect.arrayContaining([expect.stringMatching(said)]) });
  });
});
