import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFile, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { parseCodeMappings } from "@quorate/host/runtime/process-maps";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ExplainOptions, runExplain } from "../../services/cli/src/commands/explain.ts";
import { type WatchOptions, runWatch } from "../../services/cli/src/commands/watch.ts";
import { recordingContext } from "../../services/cli/src/recording-terminal.fixture.ts";
import { anyAge, installDebs } from "../audited-host.ts";
import { quorateUnder } from "../quorate.ts";
import { type ProgramRoot, ReproducedPrograms, otherPerl, plant, ready } from "../reproduced-programs.ts";
import type { RunningRoot, Started } from "../running-root.ts";
import { buildSmallDeb } from "../small-deb.ts";

const run = promisify(execFile);

/** mmap, memfd_create and ptrace of this architecture. */
const [mmap, memfd, ptrace] = process.arch === "arm64" ? [222, 279, 117] : [9, 319, 101];
/** A perl that is in no file system. */
const inMemory = [
  `$^F = 99; $name = "evil"; $fd = syscall(${memfd}, $name, 0);`,
  'open IN, "/usr/bin/perl"; binmode IN; open OUT, ">&=", $fd; binmode OUT; $/ = undef; select OUT; $| = 1; print <IN>; select STDOUT;',
  `exec "/proc/self/fd/$fd", "-e", '${ready}';`,
].join(" ");

let programs: ReproducedPrograms;
beforeAll(async () => void (programs = await ReproducedPrograms.start()));
afterAll(() => programs?.[Symbol.asyncDispose]());

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
    { once: true, root: running.place, snapshot: programs.snapshot, freshness: anyAge, json: true, ...options },
    context,
  );
  return { code, ...(context.json[0] as Omit<Answer, "code">) };
}

const found = ({ findings }: Answer) => findings.map((finding) => `${finding.class} ${finding.path}`);

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const perlOf = (root: string) => readFile(join(root, "usr/bin/perl"));

describe("what processes run is found, with its class and its exit code", () => {
  const evil = Buffer.from("evil");
  const cases: [string, (running: ProgramRoot) => Promise<unknown>, string, number][] = [
    [
      "a program was upgraded, and the one before still runs",
      async (running) => {
        const process = await running.run(["/usr/bin/perl", "-e", ready]);
        await installDebs(running.root, [programs.upgrade]);
        return process;
      },
      "stale-verified /usr/bin/perl",
      1,
    ],
    [
      "a program that nobody rebuilt was deleted, and still runs",
      async (running) => {
        await plant(join(running.root, "usr/bin/evil"), await otherPerl(running.root));
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
        const library = join(running.root, programs.libm);
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
        await plant(join(running.root, "tmp/evil"), await otherPerl(running.root));
        return await running.run(["/tmp/evil", "-e", ready]);
      },
      "unowned /tmp/evil",
      2,
    ],
    [
      "a program runs from where administrators put theirs",
      async (running) => {
        await plant(join(running.root, "opt/own"), await otherPerl(running.root));
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
        await plant(join(running.root, "opt/evil.so"), Buffer.concat([await readFile(join(running.root, programs.libm)), evil]));
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
    await using running = await programs.startRoot();
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
  await using running = await programs.startRoot();
  await running.run(["/usr/bin/perl", "-e", ready]);
  await running.run(["/usr/bin/script"]);
  const answer = await watch(running);
  expect(found(answer)).toEqual([]);
  expect(answer).toMatchObject({ code: 0, outcome: "clean", processes: 3 });
  expect(answer.counts["verified"]).toBeGreaterThan(5);
});

test("a process is explained: what it runs, from the package to the witnesses", async () => {
  await using running = await programs.startRoot();
  const { said: pid } = await running.run(["/usr/bin/perl", "-e", ready]);
  const explain = async (options: ExplainOptions = {}) => {
    const context = recordingContext();
    const code = await runExplain(pid, { root: running.place, snapshot: programs.snapshot, freshness: anyAge, ...options }, context);
    return { code, text: context.printed.join("\n"), json: context.json[0] };
  };
  const { code, text } = await explain();
  expect(code).toBe(0);
  expect(text).toMatch(/^process \d+ \("perl"\) runs:\n {2}verified {2}\/usr\/bin\/perl {2}pid \d+ \(tool\)$/m);
  for (const name of ["base", "tool"]) expect(text).toMatch(new RegExp(`^ {2}package {5}${name} 1\\.0 \\(all\\)`, "m"));
  expect(text).toMatch(/^ {2}witnesses {3}w\d\.example at 1970/m);
  await installDebs(running.root, [programs.upgrade]);
  expect(await explain({ json: true })).toMatchObject({
    code: 1,
    json: { outcome: "drift", findings: expect.arrayContaining([expect.objectContaining({ class: "stale-verified", package: "tool" })]) },
  });
});

test("a process that is not there is not explained: exit code 3", async () => {
  await using running = await programs.startRoot();
  const options = { root: running.place, snapshot: programs.snapshot, freshness: anyAge };
  await expect(runExplain("4194304", options, recordingContext())).rejects.toMatchObject({ exitCode: 3 });
});

test("the policy lets verified bytes make code in memory, and nothing that only has their name", async () => {
  await using running = await programs.startRoot();
  const makesCode = `syscall(${mmap}, 0, 4096, 5, 34, -1, 0); ${ready}`;
  await running.run(["/usr/bin/perl", "-e", makesCode]);
  const jit = join(programs.directory, "jit");
  await writeFile(jit, `sha256 ${sha256(await perlOf(running.root))}\n`);
  expect(await watch(running, { jit })).toMatchObject({ code: 0, counts: { "generated-code": 1 } });
  await writeFile(jit, "package tool\n");
  expect(await watch(running, { jit })).toMatchObject({ code: 0, counts: { "generated-code": 1 } });
  await plant(join(running.root, "opt/perl"), await otherPerl(running.root));
  await running.run(["/opt/perl", "-e", makesCode]);
  const answer = await watch(running, { jit });
  expect(found(answer)).toContain("anonymous-code [anonymous]");
  expect(answer.code).toBe(2);
});

test("a process that makes code in memory is explained as the policy has it, by the digest of its program", async () => {
  await using running = await programs.startRoot();
  const { said: pid } = await running.run(["/usr/bin/perl", "-e", `syscall(${mmap}, 0, 4096, 5, 34, -1, 0); ${ready}`]);
  const jit = join(programs.directory, "jit-explained");
  const explain = async (policy: string) => {
    await writeFile(jit, policy);
    const context = recordingContext();
    const code = await runExplain(pid, { root: running.place, snapshot: programs.snapshot, freshness: anyAge, jit }, context);
    return { code, text: context.printed.join("\n") };
  };
  const allowed = await explain(`sha256 ${sha256(await perlOf(running.root))}\n`);
  expect(allowed.text).toContain("generated-code  [anonymous]");
  expect(allowed.text).toMatch(/^ {2}package {5}tool 1\.0 \(all\)/m);
  expect(allowed.code).toBe(0);
  const another = await explain(`sha256 ${sha256(await otherPerl(running.root))}\n`);
  expect(another.text).toContain("anonymous-code  [anonymous]");
  expect(another.code).toBe(2);
  await expect(explain("perl\n")).rejects.toMatchObject({ exitCode: 3, message: expect.stringContaining("JIT policy") as unknown });
});

test("a program of a package that nobody has reproduced is unverified: exit code 1", async () => {
  await using running = await programs.startRoot();
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
  const words = ["watch", "--once", "--json", "--snapshot", programs.snapshot, "--freshness", "999999"];
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
  test.each<[string, (running: ProgramRoot) => Promise<unknown>, RegExp]>([
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
    await using running = await programs.startRoot();
    await start(running);
    const answer = await watch(running);
    expect(answer).toMatchObject({ code: 0, findings: [], unseen: expect.arrayContaining([expect.stringMatching(said)]) });
  });
});
