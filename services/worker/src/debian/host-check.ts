import { access, constants } from "node:fs/promises";
import { join } from "node:path";

const programs = {
  mmdebstrap: "mmdebstrap",
  "apt-get": "apt",
  "dpkg-deb": "dpkg",
  unshare: "util-linux",
  setpriv: "util-linux",
  prlimit: "util-linux",
  mount: "mount",
  chroot: "coreutils",
  perl: "perl-base",
  ip: "iproute2",
};
const directories = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** @throws Error that says what this host lacks, before any job is taken */
export async function checkHost(): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new Error("building Debian packages: root is needed, for namespaces, overlay mounts and the base system; run the worker as root");
  }
  const missing = new Set<string>();
  for (const [program, debianPackage] of Object.entries(programs)) {
    if (!(await isInstalled(program))) missing.add(debianPackage);
  }
  if (missing.size > 0) throw new Error(`building Debian packages: install these packages first: ${[...missing].join(" ")}`);
}

async function isInstalled(program: string): Promise<boolean> {
  for (const directory of directories) {
    try {
      await access(join(directory, program), constants.X_OK);
      return true;
    } catch {
      // Perhaps in the next one.
    }
  }
  return false;
}
