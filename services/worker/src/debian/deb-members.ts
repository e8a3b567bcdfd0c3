import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { open } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import type { ManifestMember, MemberKind } from "@quorate/attestation/manifest";
import { decodePath } from "@quorate/attestation/path-text";
import { type Sha256, parseSha256 } from "@quorate/protocol/digest";
import { type Extract, type Header, extract } from "tar-stream";

/** More than any package of a distribution has; bounds what a hostile one can make of a few bytes. */
const maxUnpackedBytes = 64 * 1024 ** 3;
const maxMembers = 500_000;
const maxKeptBytes = 4 * 1024 * 1024;

export type DebMember = Omit<ManifestMember, "conffile">;

export type ReadRequest = {
  part: DebMember["part"];
  /** Which files' contents are wanted, of those that are small. */
  keep(path: string): boolean;
  signal: AbortSignal;
};

/** dpkg-deb takes a package apart that untrusted code has made, so it runs as nobody, and reads what this process opened. */
export async function* readMembers(deb: string, request: ReadRequest): AsyncGenerator<{ member: DebMember; content?: Buffer }> {
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
  // Names as bytes: Debian's tar members have no encoding.
  const options: Parameters<typeof extract>[0] & { filenameEncoding: string } = { filenameEncoding: "latin1" };
  const archive = extract(options);
  const feeding = pipeline(child.stdout, archive);
  feeding.catch(() => {});
  try {
    yield* hashMembers(archive, request);
    await feeding;
    const [status] = (await ended) as [number | null];
    if (status !== 0) throw new Error(`dpkg-deb ended with status ${status}`);
  } catch (cause) {
    signal.throwIfAborted();
    throw new Error(`reading the members of ${deb}: ${complaint.trim() || String(cause)}`, { cause });
  } finally {
    child.kill("SIGKILL");
  }
}

async function* hashMembers(
  archive: Extract,
  { part, keep: isWanted }: ReadRequest,
): AsyncGenerator<{ member: DebMember; content?: Buffer }> {
  const digests = new Map<string, Sha256>();
  let count = 0;
  let unpackedBytes = 0;
  for await (const entry of archive) {
    count += 1;
    unpackedBytes += entry.header.size ?? 0;
    if (count > maxMembers || unpackedBytes > maxUnpackedBytes) throw new Error("a package of this size is not taken apart");
    const keep = (entry.header.size ?? 0) <= maxKeptBytes && isWanted(pathOf(entry.header.name));
    const hash = createHash("sha256");
    const kept: Buffer[] = [];
    for await (const chunk of entry as AsyncIterable<Buffer>) {
      hash.update(chunk);
      if (keep) kept.push(chunk);
    }
    const member = memberOf(entry.header, part);
    const sha256 = member.kind === "file" ? parseSha256(hash.digest("hex")) : digests.get(member.linkTarget ?? "");
    if (sha256 !== undefined) digests.set(member.path, sha256);
    const hashed = (member.kind === "file" || member.kind === "hardlink") && sha256 !== undefined;
    yield { member: hashed ? { ...member, sha256 } : member, ...(keep ? { content: Buffer.concat(kept) } : {}) };
  }
}

const kinds: Record<string, MemberKind> = {
  file: "file",
  "contiguous-file": "file",
  link: "hardlink",
  symlink: "symlink",
  "character-device": "character-device",
  "block-device": "block-device",
  directory: "directory",
  fifo: "fifo",
};

function memberOf(header: Header, part: DebMember["part"]): DebMember {
  const kind = kinds[header.type ?? "file"];
  if (kind === undefined) throw new Error(`a member of type ${header.type} is in no Debian package`);
  const target = header.linkname ?? "";
  const isLink = kind === "symlink" || kind === "hardlink";
  return {
    part,
    path: pathOf(header.name),
    kind,
    mode: (header.mode ?? 0) & 0o7777,
    owner: header.uname || String(header.uid ?? 0),
    group: header.gname || String(header.gid ?? 0),
    sizeBytes: kind === "file" ? (header.size ?? 0) : 0,
    ...(isLink ? { linkTarget: kind === "hardlink" ? pathOf(target) : decodePath(Buffer.from(target, "latin1")) } : {}),
  };
}

function pathOf(name: string): string {
  const path = decodePath(Buffer.from(name, "latin1"))
    .replace(/^(?:\.?\/)+/, "")
    .replace(/\/+$/, "");
  return path === "" ? "." : path;
}
