import { spawn } from "node:child_process";
import { once } from "node:events";
import { open } from "node:fs/promises";
import type { Readable } from "node:stream";
import type { ManifestMember } from "@quorate/attestation/manifest";
import { readTar } from "@quorate/host/tar-members";
import type { Sha256 } from "@quorate/protocol/digest";

/** More than any package of a distribution has. */
const limits = { members: 500_000, unpackedBytes: 64 * 1024 ** 3 };
const maxKeptBytes = 4 * 1024 * 1024;

export type DebMember = Omit<ManifestMember, "conffile">;

export type ReadRequest = {
  part: DebMember["part"];
  /** Which files' contents are wanted, of those that are small. */
  keep(path: string): boolean;
  signal: AbortSignal;
};

/** dpkg-deb takes a package apart that untrusted code has made, so it runs as nobody, and reads what this process opened. */
export async function* readMembers(deb: string, request: ReadRequest): AsyncGenerator<{ member: DebMember; content?: Uint8Array }> {
  const { part, signal } = request;
  await using file = await open(deb, "r");
  const unprivileged = ["--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs", "--bounding-set=-all", "--pdeathsig=KILL"];
  const option = part === "control" ? "--ctrl-tarfile" : "--fsys-tarfile";
  const child = spawn("setpriv", [...unprivileged, "--", "dpkg-deb", option, "-"], {
    stdio: [file.fd, "pipe", "pipe"],
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" },
    signal,
  });
  if (child.stdout === null || child.stderr === null) throw new Error("starting dpkg-deb: it has no output");
  let complaint = "";
  child.stderr.on("data", (data: Buffer) => (complaint = (complaint + data.toString()).slice(0, 500)));
  const ended = once(child, "close");
  ended.catch(() => {});
  try {
    yield* debMembers(child.stdout, request);
    const [status] = (await ended) as [number | null];
    if (status !== 0) throw new Error(`dpkg-deb ended with status ${status}`);
  } catch (cause) {
    signal.throwIfAborted();
    throw new Error(`reading the members of ${deb}: ${complaint.trim() || String(cause)}`, { cause });
  } finally {
    child.kill("SIGKILL");
  }
}

async function* debMembers(
  tar: Readable,
  { part, keep: isWanted, signal }: ReadRequest,
): AsyncGenerator<{ member: DebMember; content?: Uint8Array }> {
  const digests = new Map<string, Sha256>();
  const keep = (path: string, sizeBytes: number) => sizeBytes <= maxKeptBytes && isWanted(path);
  for await (const { uid: _uid, gid: _gid, content, ...read } of readTar(tar, { keep, limits, signal })) {
    const sha256 = read.kind === "hardlink" ? digests.get(read.linkTarget ?? "") : read.sha256;
    if (sha256 !== undefined) digests.set(read.path, sha256);
    yield { member: { part, ...read, ...(sha256 && { sha256 }) }, ...(content && { content }) };
  }
}
