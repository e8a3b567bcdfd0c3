import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The bytes of programs and of the libraries that they load, by their paths in a package. */
export async function programFiles(programs: Readonly<Record<string, string>>): Promise<Record<string, Uint8Array>> {
  const files: Record<string, Uint8Array> = {};
  for (const [path, program] of Object.entries(programs)) {
    files[path] = await readFile(program);
    const { stdout } = await run("ldd", [program]);
    for (const [, library = ""] of stdout.matchAll(/(\/\S+) \(0x/g)) files[library.slice(1)] = await readFile(library);
  }
  return files;
}

/** A process, and what it said when it was ready. */
export type Started = { readonly said: string; end(): Promise<void> };

/** A root in which processes run: they see no others, this host's processes see them below `place`, and they end with it. */
export class RunningRoot implements AsyncDisposable {
  /** Of its process 1, as this host counts. */
  readonly pid: string;
  readonly #init: ChildProcess;

  private constructor(init: ChildProcess, pid: string) {
    this.#init = init;
    this.pid = pid;
  }

  /** Where the root is seen with its own /proc. */
  get place(): string {
    return `/proc/${this.pid}/root`;
  }

  /** @param shell in the root; it is process 1 */
  static async start(root: string, shell: string): Promise<RunningRoot> {
    await mkdir(join(root, "proc"), { recursive: true });
    const words = [
      "--pid",
      "--mount",
      "--fork",
      "--kill-child",
      `--root=${root}`,
      "--wd=/",
      "--mount-proc",
      shell,
      "-c",
      "echo ready; read line",
    ];
    const init = spawn("unshare", words, { stdio: ["pipe", "pipe", "inherit"], env: {} });
    await firstLine(init);
    return new RunningRoot(init, await childOf(init.pid));
  }

  /** Starts a program that says one line when it is ready, and ends when its input does. */
  async run(words: readonly string[]): Promise<Started> {
    const target = ["--target", this.pid, "--pid", "--mount", "--root", "--wdns=/"];
    const child = spawn("nsenter", [...target, "--", ...words], { stdio: ["pipe", "pipe", "inherit"], env: {} });
    const said = await firstLine(child);
    const end = async () => {
      const ended = once(child, "exit");
      child.stdin?.end();
      await ended;
    };
    return { said, end };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#init, "exit");
    this.#init.stdin?.end();
    await ended;
  }
}

/** The pid of a process that another one has started. */
export async function childOf(parent: number | undefined): Promise<string> {
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
    if (status.includes(`\nPPid:\t${parent}\n`)) return pid;
  }
  throw new Error(`process ${parent} has no child`);
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error("a program that says that it is ready has an output");
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error("a program ended before it was ready");
}
