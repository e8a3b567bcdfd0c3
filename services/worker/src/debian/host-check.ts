import { execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

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
  await tryNamespaces();
}

/** What each sandbox does, in small. Inside, nothing of the host is touched: the tmpfs lies over /tmp in a mount namespace of its own. */
const sandboxInSmall = [
  "mount -t tmpfs tmpfs /tmp",
  "cd /tmp",
  "mkdir lower upper work root",
  "chown 1234:1234 lower",
  "mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work overlay root",
].join(" && ");

/** Root in a container or a user namespace may lack what root of a machine has. */
async function tryNamespaces(): Promise<void> {
  const namespaces = ["--mount", "--pid", "--fork", "--kill-child=KILL", "--uts", "--ipc", "--net", "--propagation=private"];
  try {
    await promisify(execFile)("unshare", [...namespaces, "--", "/bin/sh", "-c", sandboxInSmall], {
      env: { PATH: directories.join(":"), LC_ALL: "C" },
      timeout: 20_000,
    });
  } catch (cause) {
    const said = cause instanceof Error && "stderr" in cause ? String(cause.stderr).trim().split("\n").at(-1) : String(cause);
    throw new Error(
      `building Debian packages: root may not make namespaces, overlay mounts or files of other users here (${said}); run the worker as root of the machine, or in a container that is allowed to (CAP_SYS_ADMIN, all user ids)`,
      { cause },
    );
  }
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
