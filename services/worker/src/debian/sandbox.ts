import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, openSync } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { promisify } from "node:util";
import type { ControlGroup } from "./control-group.ts";
import { type SandboxCommand, type SandboxScript, formatSandboxCommand, formatSandboxScript } from "./sandbox-script.ts";

export type SandboxOptions = Pick<SandboxScript, "directory" | "root" | "forwarder"> & {
  controlGroup?: ControlGroup;
  /** Bound on the builder's processes where no control group enforces one. */
  processes?: number;
  /** Everything that commands print, as it comes. */
  onOutput(chunk: Buffer): void;
  /** Kills the whole sandbox when it aborts. */
  signal: AbortSignal;
};

/** Namespaces with a root of their own, without network, in which commands run one after the other. */
export interface Sandbox extends AsyncDisposable {
  /** @returns the exit status @throws SandboxError when the sandbox ended before the command did */
  run(command: SandboxCommand): Promise<number>;
  /** The sandbox's tree as seen from the host, while no command runs. Links inside it lead astray: open files with O_NOFOLLOW. */
  readonly hostRoot: string;
}

export class SandboxError extends Error {
  override readonly name = "SandboxError";
}

/**
 * Nothing of a sandbox outlives this process: setpriv makes the kernel kill `unshare` when this process dies, which kills process 1 of the
 * namespaces and with it everything inside; its mounts exist in no other namespace.
 */
export async function openSandbox(options: SandboxOptions): Promise<Sandbox> {
  options.signal.throwIfAborted();
  const name = join("run", crypto.randomUUID());
  const home = join(options.directory, name);
  await mkdir(join(home, "mount"), { recursive: true, mode: 0o700 });
  const output = await openOutput(join(home, "output"));
  const script = formatSandboxScript({ ...options, mountPoint: `${name}/mount`, joinFiles: options.controlGroup?.joinFiles ?? [] });
  const namespaces = [
    "--mount",
    "--pid",
    "--mount-proc",
    "--fork",
    "--kill-child=KILL",
    "--uts",
    "--ipc",
    "--net",
    "--propagation=private",
  ];
  const words = ["--pdeathsig=KILL", "--", "perl", "-e", closeOthers, "unshare", ...namespaces, "--", "/bin/sh", "-c", script];
  const child = spawn("setpriv", words, {
    cwd: options.directory,
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" },
    stdio: ["ignore", "pipe", "pipe", "pipe", "pipe", output.writer],
  });
  const session = new SandboxSession(child, { output: output.reader, options });
  closeSync(output.writer);
  const dispose = async () => {
    await session.end();
    await rm(home, { recursive: true, force: true });
  };
  try {
    await session.ready();
  } catch (error) {
    await dispose();
    throw error;
  }
  return {
    run: (command) => session.run(command),
    hostRoot: `/proc/${session.initPid}/root`,
    [Symbol.asyncDispose]: dispose,
  };
}

/** What this process itself was started with must not reach built code: descriptors above those that the script knows are closed. */
const closeOthers =
  'use POSIX (); opendir(D, "/proc/self/fd"); POSIX::close($_) for grep { /^[0-9]+$/ && $_ > 5 } readdir D; exec { $ARGV[0] } @ARGV';

/** A named pipe that anyone may open, because programs open /dev/stdout and /dev/stderr anew as the user that they run as. */
async function openOutput(path: string) {
  await promisify(execFile)("mkfifo", ["-m", "666", path]);
  // Neither call can block: the first is non-blocking, and the second finds a reader.
  const reader = new Socket({ fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK), readable: true, writable: false });
  const writer = openSync(path, constants.O_WRONLY);
  await rm(path);
  return { reader, writer };
}

class SandboxSession {
  initPid = 0;
  readonly #child: ChildProcess;
  readonly #options: SandboxOptions;
  readonly #commands: Writable;
  readonly #statuses: AsyncIterator<string>;
  readonly #closed: Promise<unknown>;
  readonly #kill = () => this.#killAll();
  /** What set-up itself printed: why the root could not be made. */
  #complaints = "";

  constructor(child: ChildProcess, { output, options }: { output: Socket; options: SandboxOptions }) {
    this.#child = child;
    this.#options = options;
    const commands = child.stdio[3] as Writable;
    const statuses = child.stdio[4] as Readable;
    // A sandbox that dies closes the pipe under a command that is being sent; `run` reports that.
    commands.on("error", () => {});
    statuses.on("error", () => {});
    this.#commands = commands;
    this.#statuses = createInterface({ input: statuses })[Symbol.asyncIterator]();
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk: Buffer) => (this.#complaints = (this.#complaints + chunk.toString()).slice(0, 2000)));
    }
    output.on("data", options.onOutput);
    this.#closed = Promise.all([once(child, "close"), once(output, "close")]);
    this.#closed.catch(() => {});
    options.signal.addEventListener("abort", this.#kill);
  }

  async ready(): Promise<void> {
    const awaited = new Set(this.#options.forwarder === undefined ? ["ready"] : ["ready", "forwarding"]);
    while (awaited.size > 0) {
      const status = await this.#nextStatus();
      if (status !== undefined && awaited.delete(status)) continue;
      await this.end();
      this.#options.signal.throwIfAborted();
      throw new SandboxError(`making the sandbox: ${this.#complaints.trim() || "it ended at once"}`);
    }
    const pid = this.#child.pid;
    const children = (await readFile(`/proc/${pid}/task/${pid}/children`, "utf8")).trim();
    if (!/^\d+$/.test(children)) throw new SandboxError(`finding process 1 of the sandbox: the children of ${pid} are "${children}"`);
    this.initPid = Number(children);
    if (this.#options.signal.aborted) this.#killAll();
  }

  async run(command: SandboxCommand): Promise<number> {
    this.#options.signal.throwIfAborted();
    const bounded = this.#options.controlGroup === undefined || this.#options.controlGroup.kind === "no-cgroup";
    this.#commands.write(`${formatSandboxCommand(command, bounded ? this.#options.processes : undefined)}\n`);
    const status = /^exit (\d+)$/.exec((await this.#nextStatus()) ?? "")?.[1];
    this.#options.signal.throwIfAborted();
    if (status === undefined) throw new SandboxError(`running ${command.words[0]}: the sandbox ended`);
    return Number(status);
  }

  async end(): Promise<void> {
    this.#options.signal.removeEventListener("abort", this.#kill);
    this.#killAll();
    await this.#closed;
  }

  async #nextStatus(): Promise<string | undefined> {
    const { value, done } = await this.#statuses.next();
    return done === true ? undefined : value;
  }

  /**
   * Killing process 1 makes the kernel kill everything in its namespace before `unshare` sees it end, so once `unshare` is gone, all is
   * gone. Only before process 1 is known, `unshare` itself is killed.
   */
  #killAll(): void {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    if (this.initPid === 0) this.#child.kill("SIGKILL");
    else killProcess(this.initPid);
  }
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
