import { execFile } from "node:child_process";
import { glob, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { deriveHostArchives } from "@quorate/archive/host-archive";

const run = promisify(execFile);

/** Programs of Debian forky, unpacked below a directory; the host's packages and apt configuration stay as they are. */
export class ForkyPackages {
  readonly #root: string;
  readonly #loader: string;
  readonly #libraries: string;

  private constructor(root: string, loader: string, libraries: string) {
    this.#root = root;
    this.#loader = loader;
    this.#libraries = libraries;
  }

  /** Fetches packages from the mirror that the host's apt uses, checked by apt with the host's keyring. */
  static async fetch(names: readonly string[], directory: string): Promise<ForkyPackages> {
    const debian = (await deriveHostArchives()).find(({ distribution }) => distribution === "debian");
    if (debian === undefined) throw new Error("fetching packages of Debian forky: this host's apt has no Debian archive");
    const [state, root] = [join(directory, "apt"), join(directory, "root")];
    await mkdir(join(state, "lists", "partial"), { recursive: true });
    await mkdir(join(state, "archives", "partial"), { recursive: true });
    await mkdir(root);
    await writeFile(join(state, "status"), "");
    await writeFile(join(state, "forky.list"), `deb [signed-by=${debian.keyrings.join(",")}] ${debian.url} forky main\n`);
    const settings = {
      "Dir::Etc::sourcelist": join(state, "forky.list"),
      "Dir::Etc::sourceparts": "/dev/null",
      "Dir::State": state,
      "Dir::State::status": join(state, "status"),
      "Dir::Cache": state,
      "APT::Sandbox::User": "root",
    };
    const options = Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
    await run("apt-get", [...options, "update"], { timeout: 300_000 });
    // With forky's own C library the programs run on older hosts too.
    await run("apt-get", [...options, "download", "libc6", ...names], { cwd: state, timeout: 300_000 });
    for await (const file of glob(join(state, "*.deb"))) await run("dpkg", ["-x", file, root]);
    const loader = await onlyOne(join(root, "usr", "lib*", "**", "ld-linux-*.so.*"));
    return new ForkyPackages(root, loader, join(await onlyOne(join(root, "usr", "lib", "*-linux-*", "libc.so.6")), ".."));
  }

  /** Command and arguments that run a program of the packages. */
  command(program: string, ...parameters: string[]): [command: string, parameters: string[]] {
    return [this.#loader, ["--library-path", this.#libraries, join(this.#root, "usr", "bin", program), ...parameters]];
  }

  /** Runs a program to its end, with `input` on its standard input. Rejects unless it exits with 0. */
  async run(program: string, parameters: readonly string[], input = ""): Promise<string> {
    const [command, all] = this.command(program, ...parameters);
    const running = run(command, all, { timeout: 60_000 });
    // Who refuses its parameters ends before it reads.
    running.child.stdin?.on("error", () => undefined).end(input);
    const { stdout, stderr } = await running;
    return stdout + stderr;
  }
}

async function onlyOne(pattern: string): Promise<string> {
  for await (const path of glob(pattern)) return path;
  throw new Error(`unpacking packages of Debian forky: nothing matches ${pattern}`);
}
