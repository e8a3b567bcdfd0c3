import { execFile, spawn } from "node:child_process";
import { glob, mkdir, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { hostSuite } from "../base-packages.ts";
import { openPrivateApt } from "../private-apt.ts";

const run = promisify(execFile);

/** What the programs of the live tests are linked with. */
const libraries = ["libc6", "libgcc-s1", "liblzma5", "libzstd1", "libbz2-1.0", "libssl3t64", "zlib1g"];

export type Ran = { code: number; output: string };

/** Programs of one Debian suite, as its packages ship them. */
export type DebianPrograms = {
  /** Command and arguments that run one. */
  command(program: string, parameters: readonly string[]): [command: string, parameters: string[]];
  /** Runs one with standard input, if given; `output` is what it printed to either stream. */
  run(program: string, parameters: readonly string[], options?: { env?: Record<string, string>; input?: string }): Promise<Ran>;
};

/**
 * Fetches packages of a suite and unpacks them; nothing is installed. The programs run on the suite's own C library, since a host may have an
 * older one.
 */
export async function fetchDebianPrograms(directory: string, suite: string, packages: readonly string[]): Promise<DebianPrograms> {
  const apt = await openPrivateApt(join(directory, `apt-${suite}`), await hostSuite(), suite);
  await apt.get("download", ...packages, ...libraries);
  const root = join(directory, suite);
  await mkdir(root);
  for (const name of await readdir(apt.directory)) if (name.endsWith(".deb")) await run("dpkg", ["-x", join(apt.directory, name), root]);
  const loader = await findLoader(root);
  const command: DebianPrograms["command"] = (program, parameters) => [
    loader,
    ["--library-path", dirname(loader), join(root, "usr/bin", program), ...parameters],
  ];
  return { command, run: (program, parameters, options = {}) => runProgram(command(program, parameters), options) };
}

async function findLoader(root: string): Promise<string> {
  for await (const path of glob(join(root, "usr/lib/*/ld-linux*.so.*"))) return path;
  throw new Error(`unpacking programs to ${root}: libc6 has no dynamic loader`);
}

async function runProgram(
  [command, parameters]: [string, string[]],
  { env = {}, input = "" }: { env?: Record<string, string>; input?: string },
) {
  const { promise, resolve, reject } = Promise.withResolvers<Ran>();
  const child = spawn(command, parameters, { env: { PATH: process.env["PATH"], ...env }, timeout: 120_000 });
  const printed: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => printed.push(chunk));
  child.on("error", reject);
  child.on("close", (code) => resolve({ code: code ?? -1, output: Buffer.concat(printed).toString() }));
  // A program may end before it has read what it has no use for.
  child.stdin.on("error", () => undefined).end(input);
  return promise;
}
