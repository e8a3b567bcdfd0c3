import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** apt with lists, cache and sources of its own: the host's are only asked where the archive is. */
export type PrivateApt = { readonly directory: string; get(...command: readonly string[]): Promise<void> };

/** For one suite of the archive from which this host's apt has its own release, its lists fetched. */
export async function openPrivateApt(work: string, hostSuite: string, suite: string): Promise<PrivateApt> {
  for (const name of ["lists/partial", "archives/partial"]) await mkdir(join(work, name), { recursive: true });
  const { stdout } = await run("apt-get", [
    "indextargets",
    "--format",
    "$(REPO_URI)",
    "Created-By: Packages",
    `Codename: ${hostSuite}`,
    "Component: main",
  ]);
  const archive = stdout.split("\n")[0];
  if (!archive)
    throw new Error(`preparing tests: this host's apt is configured with no archive for ${hostSuite}; run apt-get update or add one`);
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
  const get = async (...command: readonly string[]): Promise<void> => {
    await run("apt-get", [...options, "-qq", ...command], { cwd: join(work, "archives"), maxBuffer: 1 << 24 });
  };
  await get("update");
  return { directory: join(work, "archives"), get };
}
