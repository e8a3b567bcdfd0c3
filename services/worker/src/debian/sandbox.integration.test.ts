import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createControlGroup } from "./control-group.ts";
import type { OverlayRoot } from "./sandbox-script.ts";
import { type Sandbox, type SandboxOptions, openSandbox } from "./sandbox.ts";

const run = promisify(execFile);
const programs = [
  "cat",
  "chmod",
  "dd",
  "dash",
  "env",
  "head",
  "id",
  "ls",
  "mkdir",
  "perl",
  "prlimit",
  "readlink",
  "setpriv",
  "sleep",
  "stat",
  "touch",
  "uname",
];

const memory = { kind: "memory", sizeBytes: 16 * 1024 * 1024 } as const;

let directory: string;

/** A root of some programs of this host and the libraries that they load: no archive is needed. */
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "quorate-sandbox-"));
  const root = join(directory, "root");
  for (const name of ["bin", "dev", "etc", "proc", "tmp", "build"]) await mkdir(join(root, name), { recursive: true });
  for (const program of programs) {
    const path = (await run("/bin/sh", ["-c", `PATH=$PATH:/usr/sbin; command -v ${program}`])).stdout.trim();
    await cp(path, join(root, "bin", program), { dereference: true });
    const { stdout } = await run("ldd", [path]);
    for (const [, library] of stdout.matchAll(/(\/\S+) \(0x/g)) {
      if (library === undefined) continue;
      await mkdir(join(root, dirname(library)), { recursive: true });
      await cp(library, join(root, library), { dereference: true });
    }
  }
  await cp(join(root, "bin/dash"), join(root, "bin/sh"));
  await run("chmod", ["1777", join(root, "tmp"), join(root, "build")]);
});

afterAll(() => rm(directory, { recursive: true, force: true }));

type Session = { sandbox: Sandbox; output(): string; sh(program: string, user?: "builder" | "root"): Promise<number> };

type Opening = Partial<Omit<SandboxOptions, "root">> & Partial<OverlayRoot>;

async function open({ lowers = ["root"], upper = memory, binds = [], ...options }: Opening = {}): Promise<Session> {
  const chunks: Buffer[] = [];
  const sandbox = await openSandbox({
    directory,
    root: { kind: "overlay", lowers, upper, binds },
    onOutput: (chunk) => void chunks.push(chunk),
    signal: new AbortController().signal,
    ...options,
  });
  return {
    sandbox,
    output: () => Buffer.concat(chunks).toString(),
    sh: (program, user = "builder") =>
      sandbox.run({ words: ["/bin/sh", "-c", program], user, workingDirectory: "/tmp", environment: { PATH: "/bin", MARK: "only this" } }),
  };
}

/** What a program prints, complete only once the sandbox has ended. */
async function outputOf(program: string, options: Opening = {}): Promise<string> {
  const session = await open(options);
  await session.sh(program);
  await session.sandbox[Symbol.asyncDispose]();
  return session.output();
}

describe("isolation", () => {
  test("there is no network but loopback", async () => {
    const interfaces = [...(await outputOf("cat /proc/net/dev")).matchAll(/^\s*(\S+):/gm)].map(([, name]) => name);
    expect(interfaces).toContain("lo");
    // Kernels may add tunnels without an address to each namespace; no interface that could carry anything is among them.
    expect(
      interfaces.filter((name) => !/^(lo|tunl0|sit0|gre0|gretap0|erspan0|ip_vti0|ip6_vti0|ip6tnl0|ip6gre0)$/.test(name ?? "")),
    ).toEqual([]);
  });

  test("a connection outwards fails because no route exists", async () => {
    // The system's numbers of AF_INET, SOCK_STREAM, and port 80 of a documentation address.
    const program = `perl -e 'socket(S,2,1,0) or die; connect(S, pack("S n C4 x8", 2, 80, 192,0,2,1)) or print "connect: $!\\n"'`;
    expect(await outputOf(program)).toBe("connect: Network is unreachable\n");
  });

  test("the host's file system is out of reach, also through .. and /proc", async () => {
    await writeFile(join(directory, "secret"), "of the host");
    const output = await outputOf(
      `cat ${join(directory, "secret")} ../../../..${join(directory, "secret")}; ls /; ls /proc/1/root/; cat /proc/self/mountinfo`,
    );
    expect(output).not.toContain("of the host");
    expect(output).toMatch(/ls: .*\/proc\/1\/root\/': Permission denied/);
    expect(output).not.toMatch(/^\S+ \S+ \S+ \S+ \S*(home|work|sys)/m);
  });

  test("the builder has no privilege and cannot gain one", async () => {
    const output = await outputOf("id; cat /proc/self/status");
    expect(output).toContain("uid=2952 gid=2952 groups=2952");
    expect(output).toMatch(/^CapEff:\s+0+$/m);
    expect(output).toMatch(/^CapBnd:\s+0+$/m);
    expect(output).toMatch(/^NoNewPrivs:\s+1$/m);
  });

  test("the environment, the host's name and the mask are fixed", async () => {
    const lines = (await outputOf("env; uname -n; umask")).trim().split("\n");
    expect(lines.sort()).toEqual(["0022", "MARK=only this", "PATH=/bin", "PWD=/tmp", "quorate"]);
  });

  test("devices are the six harmless ones, and output can be opened anew", async () => {
    const output = await outputOf("ls /dev; echo through >/dev/stderr; echo x >/dev/null");
    expect(output.split("\n")).toEqual([
      "fd",
      "full",
      "null",
      "ptmx",
      "pts",
      "random",
      "shm",
      "stderr",
      "stdin",
      "stdout",
      "tty",
      "urandom",
      "zero",
      "through",
      "",
    ]);
  });

  test("root inside has no hold on the kernel", async () => {
    const session = await open();
    await session.sh("cat /proc/self/status", "root");
    await session.sandbox[Symbol.asyncDispose]();
    const bounding = BigInt(`0x${/^CapEff:\s+([0-9a-f]+)$/m.exec(session.output())?.[1]}`);
    for (const capability of [12n, 16n, 17n, 19n, 21n, 22n, 25n, 27n]) expect(bounding & (1n << capability)).toBe(0n);
  });

  test("files that this process was started with stay outside", async () => {
    const program = [
      `import { openSandbox } from ${JSON.stringify(join(import.meta.dirname, "sandbox.ts"))};`,
      `await using sandbox = await openSandbox({ directory: ${JSON.stringify(directory)},`,
      `  root: { kind: "overlay", lowers: ["root"], upper: { kind: "memory", sizeBytes: 1 << 20 }, binds: [] },`,
      `  onOutput: (chunk) => process.stdout.write(chunk), signal: new AbortController().signal });`,
      `await sandbox.run({ words: ["/bin/ls", "-l", "/proc/self/fd"], user: "builder", workingDirectory: "/", environment: {} });`,
    ].join("\n");
    const inherit = 'exec 9</etc/hostname; exec "$0" --input-type=module-typescript -e "$1"';
    const { stdout } = await run("/bin/sh", ["-c", inherit, process.execPath, program]);
    const descriptors = [...stdout.matchAll(/ (\d+) -> (.*)$/gm)].map(([, number, target]) => `${number} ${target}`);
    expect(descriptors).toHaveLength(4);
    expect(descriptors.join("\n")).not.toContain("hostname");
  });

  test("bound directories are read-only", async () => {
    const source = join(directory, "inputs");
    await mkdir(source, { recursive: true });
    await writeFile(join(source, "file"), "input");
    const session = await open({ binds: [{ from: source, at: "/build/inputs" }] });
    expect(await session.sh("cat /build/inputs/file && echo x >/build/inputs/file", "root")).not.toBe(0);
    await session.sandbox[Symbol.asyncDispose]();
    expect(await readFile(join(source, "file"), "utf8")).toBe("input");
    expect(session.output()).toContain("Read-only file system");
  });
});

describe("limits", () => {
  test("memory: a greedy process is killed and the group says so", async () => {
    await using group = await createControlGroup({ memoryBytes: 48 * 1024 * 1024, processes: 100 });
    expect(group.kind).not.toBe("no-cgroup");
    const { sandbox, sh } = await open({ controlGroup: group });
    await using _ = sandbox;
    expect(await sh(`perl -e '$x = "a" x (200 * 1024 * 1024)'`)).not.toBe(0);
    expect(await group.exceeded()).toEqual(["memory"]);
  });

  test("processes: a fork bomb stays small and the group says so", async () => {
    await using group = await createControlGroup({ memoryBytes: 512 * 1024 * 1024, processes: 40 });
    const { sandbox, sh } = await open({ controlGroup: group });
    await using _ = sandbox;
    expect(await sh("i=0; while [ $i -lt 100 ]; do sleep 60 & i=$((i+1)); done")).not.toBe(0);
    expect(await group.exceeded()).toEqual(["processes"]);
  });

  test("disk: the tree cannot grow beyond its size", async () => {
    expect(await outputOf("dd if=/dev/zero of=/tmp/large bs=1048576 count=64 2>&1")).toContain("No space left on device");
  });

  test("time: an abort kills everything at once", async () => {
    const controller = new AbortController();
    const { sandbox, sh } = await open({ signal: controller.signal, onOutput: () => controller.abort(new Error("time is over")) });
    await using _ = sandbox;
    await expect(sh("sleep 4321 & sleep 4321 & echo started; sleep 4321")).rejects.toThrow("time is over");
    await sandbox[Symbol.asyncDispose]();
    expect(await processesNamed("sleep 4321")).toEqual([]);
  });
});

describe("nothing is left behind", () => {
  test("processes that a command leaves running die with it", async () => {
    const { sandbox, sh } = await open();
    await using _ = sandbox;
    expect(await sh("sleep 4322 & sleep 4322 &")).toBe(0);
    expect(await processesNamed("sleep 4322")).toEqual([]);
    expect(await sh("exit 7")).toBe(7);
  });

  test("no mount, directory or control group outlives a sandbox", async () => {
    const mounts = await readFile("/proc/self/mounts", "utf8");
    const group = await createControlGroup({ memoryBytes: 64 * 1024 * 1024, processes: 100 });
    const session = await open({ controlGroup: group });
    await session.sh("touch /tmp/x");
    await session.sandbox[Symbol.asyncDispose]();
    await group[Symbol.asyncDispose]();
    expect(await readFile("/proc/self/mounts", "utf8")).toBe(mounts);
    expect(await readdir(join(directory, "run"))).toEqual([]);
    await expect(readFile(group.joinFiles[0] ?? "")).rejects.toThrow("ENOENT");
  });

  test("the sandbox dies with the process that opened it", async () => {
    const program = [
      `import { openSandbox } from ${JSON.stringify(join(import.meta.dirname, "sandbox.ts"))};`,
      `const sandbox = await openSandbox({ directory: ${JSON.stringify(directory)},`,
      `  root: { kind: "overlay", lowers: ["root"], upper: { kind: "memory", sizeBytes: 1 << 20 }, binds: [] },`,
      `  onOutput: () => process.kill(process.pid, "SIGKILL"), signal: new AbortController().signal });`,
      `await sandbox.run({ words: ["/bin/sh", "-c", "sleep 4323 & echo go; sleep 4323"], user: "builder", workingDirectory: "/", environment: {} });`,
    ].join("\n");
    await expect(run(process.execPath, ["--input-type=module-typescript", "-e", program])).rejects.toThrow("SIGKILL");
    await expect.poll(() => processesNamed("sleep 4323")).toEqual([]);
  });

  test("writes outlive the sandbox only where a directory was given for them", async () => {
    for (const name of ["upper", "work"]) await mkdir(join(directory, "layer", name), { recursive: true });
    const session = await open({ upper: { kind: "directory", path: "layer" } });
    expect(await session.sh("echo kept >/etc/kept", "root")).toBe(0);
    await session.sandbox[Symbol.asyncDispose]();
    expect(await readFile(join(directory, "layer/upper/etc/kept"), "utf8")).toBe("kept\n");
    expect(await outputOf("cat /etc/kept", { lowers: ["layer/upper", "root"] })).toBe("kept\n");
    await expect(readFile(join(directory, "root/etc/kept"))).rejects.toThrow("ENOENT");
  });

  test("the tree can be read from the host between commands", async () => {
    const { sandbox, sh } = await open();
    await using _ = sandbox;
    await sh("echo made >/tmp/made");
    expect(await readFile(`${sandbox.hostRoot}/tmp/made`, "utf8")).toBe("made\n");
  });
});

async function processesNamed(command: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (line.replaceAll("\0", " ").trim() === command) found.push(pid);
  }
  return found;
}
