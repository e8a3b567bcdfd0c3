import { existsSync } from "node:fs";
import { readdir, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { openPrivateApt } from "./private-apt.ts";

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

export async function hostSuite(): Promise<string> {
  const release = await readFile("/etc/os-release", "utf8");
  const codename = /^VERSION_CODENAME=([a-z]+)$/m.exec(release)?.[1];
  if (codename === undefined) throw new Error("preparing tests: /etc/os-release names no VERSION_CODENAME; a Debian release is needed");
  return codename;
}

async function download(suite: string, directory: string): Promise<void> {
  const work = `${directory}.partial-${process.pid}`;
  await rm(work, { recursive: true, force: true });
  const apt = await openPrivateApt(work, suite, suite);
  await apt.get("-y", "--download-only", "install", ...wanted);
  for (const name of await readdir(join(work, "archives"))) {
    if (!name.endsWith(".deb")) await rm(join(work, "archives", name), { recursive: true });
  }
  await rename(join(work, "archives"), directory);
  await rm(work, { recursive: true });
}
