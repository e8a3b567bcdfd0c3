import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { MemberKind } from "@quorate/attestation/manifest";
import { decodePath } from "@quorate/attestation/path-text";
import { type Sha256, parseSha256 } from "@quorate/protocol/digest";
import { type Header, extract } from "tar-stream";

export type TarMember = {
  /** As in a manifest; none leads out of the root. */
  readonly path: string;
  /** `hardlink` is to a member before it. */
  readonly kind: MemberKind;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Names; the numbers where the tar has none. */
  readonly owner: string;
  readonly group: string;
  readonly sizeBytes: number;
  /** Of links; of a hard link it is a path as in a manifest. */
  readonly linkTarget?: string;
  /** Of a file. */
  readonly sha256?: Sha256;
  /** Of a file that `keep` asks for. */
  readonly content?: Uint8Array;
};

export type TarReading = {
  /** Which files' contents are wanted. */
  readonly keep: (path: string, sizeBytes: number) => boolean;
  /** Bound what a hostile archive can make of a few bytes. */
  readonly limits: { readonly members: number; readonly unpackedBytes: number };
  readonly signal: AbortSignal;
};

/**
 * The members of a tar (ustar, GNU or pax), hashed as they stream past; nothing is unpacked. What would have unpackers disagree, or write out of
 * the root, is refused: `..` in a path, sparse files, kinds of members that are not in use.
 *
 * @throws Error that names the member
 */
export async function* readTar(source: Readable, { keep, limits, signal }: TarReading): AsyncGenerator<TarMember> {
  // Names as bytes, as Debian's tars have them; pax gives them in UTF-8.
  const options: Parameters<typeof extract>[0] & { filenameEncoding: string } = { filenameEncoding: "latin1" };
  const archive = extract(options);
  const feeding = pipeline(source, archive, { signal });
  feeding.catch(() => {});
  let [count, unpackedBytes] = [0, 0];
  for await (const entry of archive) {
    const { header } = entry;
    const member = memberOf(header);
    count += 1;
    unpackedBytes += member.sizeBytes;
    if (count > limits.members || unpackedBytes > limits.unpackedBytes)
      throw new Error("reading a tar: it has too many members, or unpacks to too much");
    const isKept = member.kind === "file" && keep(member.path, member.sizeBytes);
    const digest = createHash("sha256");
    const kept: Buffer[] = [];
    for await (const chunk of entry as AsyncIterable<Buffer>) {
      if (member.kind === "file") digest.update(chunk);
      if (isKept) kept.push(chunk);
    }
    if (member.kind !== "file") yield member;
    else yield { ...member, sha256: parseSha256(digest.digest("hex")), ...(isKept ? { content: Buffer.concat(kept) } : {}) };
  }
  await feeding;
}

const kinds: Readonly<Record<string, TarMember["kind"]>> = {
  file: "file",
  "contiguous-file": "file",
  link: "hardlink",
  symlink: "symlink",
  "character-device": "character-device",
  "block-device": "block-device",
  directory: "directory",
  fifo: "fifo",
};

function memberOf(header: Header): TarMember {
  const pax = new Map<string, unknown>(Object.entries(header.pax ?? {}));
  const [paxPath, paxTarget] = [pax.get("path"), pax.get("linkpath")];
  const path = pathOf(typeof paxPath === "string" ? paxPath : bytesOf(header.name));
  const kind = kinds[header.type ?? ""];
  const isSparse = [...pax.keys()].some((key) => key.startsWith("GNU.sparse."));
  if (kind === undefined || isSparse)
    throw new Error(`reading a tar: ${path} is a ${isSparse ? "sparse file" : `member of type ${header.type}`}, which is not read`);
  const target = typeof paxTarget === "string" ? paxTarget : bytesOf(header.linkname ?? "");
  const linkTarget = kind === "hardlink" ? pathOf(target) : kind === "symlink" ? target : undefined;
  return {
    path,
    kind,
    mode: (header.mode ?? 0) & 0o7777,
    uid: header.uid ?? 0,
    gid: header.gid ?? 0,
    owner: header.uname || String(header.uid ?? 0),
    group: header.gname || String(header.gid ?? 0),
    sizeBytes: kind === "file" ? (header.size ?? 0) : 0,
    ...(linkTarget === undefined ? {} : { linkTarget }),
  };
}

const bytesOf = (name: string): string => decodePath(Buffer.from(name, "latin1"));

function pathOf(name: string): string {
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..") || name.includes("\0")) throw new Error(`reading a tar: the path ${JSON.stringify(name)} leads out of the root`);
  return parts.join("/") || ".";
}
