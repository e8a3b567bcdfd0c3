import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ReproducedPackages, createRoot, installDebs } from "./audited-host.ts";
import { RunningRoot, programFiles } from "./running-root.ts";
import { buildSmallDeb } from "./small-deb.ts";

/** For a perl: says its pid, and waits for the end of its input. */
export const ready = '$| = 1; print "$$\n"; <STDIN>;';

/** A root with a process 1; `root` is where it is on the disk. */
export type ProgramRoot = RunningRoot & { readonly root: string };

/** Packages of a shell, a script and a perl with their libraries, as a network has reproduced them, and roots in which they are installed. */
export class ReproducedPrograms implements AsyncDisposable {
  readonly directory: string;
  /** The next version of perl's package. */
  readonly upgrade: string;
  /** A library of a package, as the package has it. */
  readonly libm: string;
  readonly #network: ReproducedPackages;

  private constructor(network: ReproducedPackages, { directory, upgrade, libm }: { directory: string; upgrade: string; libm: string }) {
    this.#network = network;
    this.directory = directory;
    this.upgrade = upgrade;
    this.libm = libm;
  }

  static async start(): Promise<ReproducedPrograms> {
    const directory = await mkdtemp(join(tmpdir(), "quorate-processes-"));
    const network = await ReproducedPackages.start(directory);
    const files = await programFiles({ "usr/bin/perl": "/usr/bin/perl", "usr/bin/sh": "/bin/dash" });
    const { "usr/bin/perl": perl = new Uint8Array(), ...others } = files;
    const libm = Object.keys(files).find((path) => path.includes("/libm.so")) ?? "";
    const modes = Object.fromEntries(Object.keys(files).map((path) => [path, 0o755]));
    const script = "#!/bin/sh\necho ready\nread line\n";
    const base = await buildSmallDeb(directory, { name: "base", files: { ...others, "usr/bin/script": script }, modes });
    const tool = await buildSmallDeb(directory, { name: "tool", files: { "usr/bin/perl": perl } });
    const upgrade = await buildSmallDeb(directory, {
      name: "tool",
      version: "1.1",
      files: { "usr/bin/perl": Buffer.concat([perl, Buffer.from("1.1")]) },
    });
    for (const deb of [base, tool, upgrade]) await network.reproduce(deb);
    await network.publish();
    const programs = new ReproducedPrograms(network, { directory, upgrade, libm });
    await network.sync(programs.snapshot);
    await createRoot(programs.#clean);
    await installDebs(programs.#clean, [base, tool]);
    return programs;
  }

  get snapshot(): string {
    return join(this.directory, "snapshot");
  }

  get #clean(): string {
    return join(this.directory, "clean");
  }

  async startRoot(): Promise<ProgramRoot> {
    const root = join(await mkdtemp(join(this.directory, "root-")), "root");
    await cp(this.#clean, root, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
    for (const name of ["tmp", "opt", "dev"]) await mkdir(join(root, name));
    await writeFile(join(root, "dev/null"), "");
    return Object.assign(await RunningRoot.start(root, "/usr/bin/sh"), { root });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#network[Symbol.asyncDispose]();
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** A program or a script, of no package. */
export function plant(place: string, content: string | Uint8Array): Promise<void> {
  return writeFile(place, content, { mode: 0o755 });
}

/** The bytes of a root's perl with something behind them, which runs as perl does and is nobody's. */
export async function otherPerl(root: string): Promise<Uint8Array> {
  return Buffer.concat([await readFile(join(root, "usr/bin/perl")), Buffer.from("evil")]);
}
