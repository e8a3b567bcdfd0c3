import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** What a base chroot is made of, as mmdebstrap's `buildd` variant selects it. */
const wanted = ["?essential", "apt", "build-essential", "fakeroot"];

/**
 * Directory of the .deb files that a base chroot of this host's Debian release is made of. Test archives serve them, so that tests build
 * for real without a mirror. Downloaded once per release, through the host's own apt configuration, into the user's cache.
 */
export async function basePackages(): Promise<{ directory: string; suite: string }> {
  const suite = await hostSuite();
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");
  const directory = join(cache, "quorate", "base-packages", suite);
  if (!existsSync(directory)) await download(suite, directory);
  return { directory, suite };
}

async function hostSuite(): Promise<string> {
  const release = await readFile("/etc/os-release", "utf8");
  const codename = /^VERSION_CODENAME=([a-z]+)$/m.exec(release)?.[1];
  if (codename === undefined) throw new Error("preparing tests: /etc/os-release names no VERSION_CODENAME; a Debian release is needed");
  return codename;
}

async function download(suite: string, directory: string): Promise<void> {
  const work = `${directory}.partial-${process.pid}`;
  await rm(work, { recursive: true, force: true });
  for (const name of ["lists/partial", "archives/partial"]) await mkdir(join(work, name), { recursive: true });
  const { stdout } = await run("apt-get", [
    "indextargets",
    "--format",
    "$(REPO_URI)",
    "Created-By: Packages",
    `Codename: ${suite}`,
    "Component: main",
  ]);
  const archive = stdout.split("\n")[0];
  if (!archive)
    throw new Error(`preparing tests: this host's apt is configured with no archive for ${suite}; run apt-get update or add one`);
  await writeFile(join(work, "status"), "");
  await writeFile(join(work, "sources.list"), `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${archive} ${suite} main\n`);
  const settings = {
    "Dir::State::Lists": join(work, "lists"),
    "Dir::State::status": join(work, "status"),
    "Dir::Cache": work,
    "Dir::Cache::archives": join(work, "archives"),
    "Dir::Etc::sourcelist": join(work, "sources.list"),
    "Dir::Etc::sourceparts": "/dev/null",
    "APT::Install-Recommends": "false",
    "APT::Sandbox::User": "root",
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  await run("apt-get", [...options, "update", "-qq"]);
  await run("apt-get", [...options, "-qq", "-y", "--download-only", "install", ...wanted], { maxBuffer: 1 << 24 });
  for (const name of await readdir(join(work, "archives"))) {
    if (!name.endsWith(".deb")) await rm(join(work, "archives", name), { recursive: true });
  }
  await rename(join(work, "archives"), directory);
  await rm(work, { recursive: true });
}
