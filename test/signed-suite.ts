import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";

const run = promisify(execFile);

export type SuiteText = {
  suite: string;
  codename?: string;
  component?: string;
  architecture: string;
  date: Date;
  validUntil?: Date;
  byHash?: boolean;
  /** Text of the Packages index. */
  packages: string;
  /** Text of the Sources index. */
  sources: string;
};

/** Writes a suite's indices below `dists`, and the Release file that lists them, not yet signed. */
export async function writeSuite(root: string, text: SuiteText): Promise<void> {
  const { suite, codename = suite, component = "main", architecture, date, validUntil, byHash = true } = text;
  const dists = join(root, "dists", suite);
  await writeIndex(join(dists, component, `binary-${architecture}`, "Packages"), text.packages, byHash);
  await writeIndex(join(dists, component, "source", "Sources"), text.sources, byHash);
  const fields = {
    Origin: "Small",
    Label: "Small",
    Suite: suite,
    Codename: codename,
    Architectures: `all ${architecture}`,
    Components: component,
    Date: date.toUTCString(),
  };
  await rm(join(dists, "InRelease"), { force: true });
  await rm(join(dists, "Release"), { force: true });
  const settings = Object.entries(fields).flatMap(([name, value]) => ["-o", `APT::FTPArchive::Release::${name}=${value}`]);
  const release = await run("apt-ftparchive", [...settings, "release", dists]);
  // Said here, since apt-ftparchive has no words for them in every version; before the lists of digests.
  const own = [`Acquire-By-Hash: ${byHash ? "yes" : "no"}`, "No-Support-for-Architecture-all: Packages"];
  if (validUntil !== undefined) own.push(`Valid-Until: ${validUntil.toUTCString()}`);
  await writeFile(join(dists, "Release"), `${own.join("\n")}\n${release.stdout}`);
}

async function writeIndex(path: string, text: string, byHash: boolean): Promise<void> {
  await rm(dirname(path), { recursive: true, force: true });
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  await writeFile(`${path}.gz`, gzipSync(text));
  await run("xz", ["--keep", "--force", path]);
  if (!byHash) return;
  for (const file of [path, `${path}.gz`, `${path}.xz`]) {
    const bytes = await readFile(file);
    const directory = join(dirname(path), "by-hash/SHA256");
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, createHash("sha256").update(bytes).digest("hex")), bytes);
  }
}

export type SuiteSigner = { keyring: string; sign(root: string, suite: string): Promise<void>; [Symbol.asyncDispose](): Promise<void> };

/** A fresh OpenPGP key, whose public part is written to `keyring`. */
export async function createSuiteSigner(keyring: string): Promise<SuiteSigner> {
  // Not below the given directory: the agent's socket has a short limit on its path.
  const home = await mkdtemp(join(tmpdir(), "small-gpg-"));
  const gpg = async (...parameters: string[]) =>
    await run("gpg", ["--homedir", home, "--batch", "--yes", "--quiet", "--pinentry-mode", "loopback", "--passphrase", "", ...parameters]);
  // gpg starts an agent that would outlive a test run that is cut off: none is left between two uses.
  const stopAgent = async () => void (await run("gpgconf", ["--homedir", home, "--kill", "all"]).catch(() => undefined));
  const dispose = async () => await rm(home, { recursive: true, force: true });
  try {
    await gpg("--quick-generate-key", "Small Archive <archive@example.org>", "ed25519", "sign", "never");
    await gpg("--output", keyring, "--export");
  } catch (error) {
    await stopAgent();
    await dispose();
    throw error;
  }
  await stopAgent();
  return {
    keyring,
    sign: async (root, suite) => {
      const dists = join(root, "dists", suite);
      try {
        await gpg("--output", join(dists, "InRelease"), "--clearsign", join(dists, "Release"));
      } finally {
        await stopAgent();
      }
    },
    [Symbol.asyncDispose]: dispose,
  };
}
