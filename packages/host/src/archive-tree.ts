import type { Readable } from "node:stream";
import type { Sha256 } from "@quorate/protocol/digest";
import type { Hashing } from "./file-hasher.ts";
import type { FileDigest, HostTree, TreeEntry, TreeNode } from "./host-tree.ts";
import { Locator } from "./locator.ts";
import { type TarMember, type TarReading, readTar } from "./tar-members.ts";

type Entry = { readonly node: TreeNode; readonly sha256?: Sha256 | undefined; readonly content?: Uint8Array | undefined };

/** What dpkg and the audit read whole. */
const keptFiles =
  /^(?:var\/lib\/quorate\/gated|var\/lib\/dpkg\/(?:status|diversions|statoverride|status\.d\/[^/]+|info\/[^/]+\.list)|etc\/(?:passwd|group|dpkg\/dpkg\.cfg(?:\.d\/[^/]+)?))$/;

/** The largest of them is a database of packages. */
const maxKeptBytes = 64 * 2 ** 20;

/** More than any image has. */
const limits = { members: 5_000_000, unpackedBytes: 2 ** 40 };

const whiteoutPrefix = ".wh.";
const opaqueName = ".wh..wh..opq";

/** The files of an archive or an image, as they would be unpacked, layer upon layer. Contents are hashed as they pass, and not kept. */
export class ArchiveTree implements HostTree {
  readonly #entries = new Map<string, Entry>([[".", { node: { kind: "directory", mode: 0o755, uid: 0, gid: 0, sizeBytes: 0 } }]]);
  readonly #children = new Map<string, Set<string>>();

  /** Lays a tar over what is there. @throws Error for one that unpackers would not agree about */
  async addTar(source: Readable, signal: AbortSignal): Promise<void> {
    const fresh = new Set<string>();
    for await (const member of readTar(source, { keep, limits, signal })) this.#add(member, fresh);
  }

  /** Lays a layer of an image over what is there: as a tar, and its whiteouts take away what lower layers have (OCI image-layer). */
  async addLayer(source: Readable, signal: AbortSignal): Promise<void> {
    const fresh = new Set<string>();
    for await (const member of readTar(source, { keep, limits, signal })) {
      const slash = member.path.lastIndexOf("/");
      const [directory, name] = [member.path.slice(0, Math.max(0, slash)), member.path.slice(slash + 1)];
      if (name === opaqueName) this.#removeBelow(this.#place(directory || "."), fresh);
      else if (name.startsWith(whiteoutPrefix)) this.#remove(this.#place(join(directory, name.slice(whiteoutPrefix.length))), fresh);
      else this.#add(member, fresh);
    }
  }

  node(path: string): TreeNode | undefined {
    return this.#entries.get(path)?.node;
  }

  entries(directory: string): readonly TreeEntry[] {
    return this.#names(directory).map((name) => ({ name, isDirectory: this.node(join(directory, name))?.kind === "directory" }));
  }

  read(path: string): Uint8Array | undefined {
    return this.#entries.get(path)?.content;
  }

  async hash(paths: readonly string[], { onFile = () => {} }: Hashing): Promise<ReadonlyMap<string, FileDigest>> {
    const digests = new Map<string, FileDigest>();
    for (const path of paths) {
      const sha256 = this.#entries.get(path)?.sha256;
      digests.set(path, sha256 === undefined ? { kind: "unreadable", reason: "no file" } : { kind: "hashed", sha256 });
      onFile();
    }
    return digests;
  }

  #add(member: TarMember, fresh: Set<string>): void {
    const path = this.#place(member.path);
    const before = this.#entries.get(path)?.node.kind;
    const isDirectory = member.kind === "directory";
    if (fresh.has(path) && !(isDirectory && before === "directory")) {
      throw new Error(`reading a tar: ${member.path} is in it twice, and unpackers do not agree which of them counts`);
    }
    if (before !== undefined && !(isDirectory && before === "directory")) this.#remove(path, new Set());
    this.#set(path, member.kind === "hardlink" ? this.#linked(member) : entryOf(member, member.kind), fresh);
  }

  #linked({ path, linkTarget = "" }: TarMember): Entry {
    const target = this.#entries.get(this.#place(linkTarget));
    if (target?.node.kind === "file") return target;
    throw new Error(`reading a tar: ${path} is a hard link to ${linkTarget}, which is no file before it`);
  }

  /** Directories above a path that no member names are there too. */
  #set(path: string, entry: Entry, fresh: Set<string>): void {
    this.#entries.set(path, entry);
    fresh.add(path);
    if (path === ".") return;
    const slash = path.lastIndexOf("/");
    const parent = slash < 0 ? "." : path.slice(0, slash);
    const above = this.#entries.get(parent)?.node.kind;
    if (above !== undefined && above !== "directory") throw new Error(`reading a tar: ${path} is below ${parent}, which is a ${above}`);
    if (above === undefined) this.#set(parent, { node: { kind: "directory", mode: 0o755, uid: 0, gid: 0, sizeBytes: 0 } }, new Set());
    const siblings = this.#children.get(parent) ?? new Set();
    this.#children.set(parent, siblings.add(path.slice(slash + 1)));
  }

  /** Removes a path and all below it, but for what this layer has put there. */
  #remove(path: string, fresh: ReadonlySet<string>): void {
    this.#removeBelow(path, fresh);
    if (fresh.has(path) || path === "." || (this.#children.get(path)?.size ?? 0) > 0) return;
    this.#entries.delete(path);
    const slash = path.lastIndexOf("/");
    this.#children.get(slash < 0 ? "." : path.slice(0, slash))?.delete(path.slice(slash + 1));
  }

  #removeBelow(directory: string, fresh: ReadonlySet<string>): void {
    for (const name of this.#names(directory)) this.#remove(join(directory, name), fresh);
  }

  #names(directory: string): string[] {
    return [...(this.#children.get(directory) ?? [])];
  }

  /** Where a path is put: unpackers follow links in the directories above it, and stay in the root. */
  #place(path: string): string {
    for (let slash = path.indexOf("/"); slash > 0; slash = path.indexOf("/", slash + 1)) {
      if (this.#entries.get(path.slice(0, slash))?.node.kind === "symlink") return new Locator(this).locate(path);
    }
    return path;
  }
}

const keep: TarReading["keep"] = (path, sizeBytes) => {
  if (!keptFiles.test(path)) return false;
  if (sizeBytes <= maxKeptBytes) return true;
  throw new Error(`reading a tar: ${path} has ${sizeBytes} bytes, and at most ${maxKeptBytes} are kept`);
};

function entryOf(member: TarMember, kind: TreeNode["kind"]): Entry {
  const { mode, uid, gid, sizeBytes, linkTarget, sha256, content } = member;
  return { node: { kind, mode, uid, gid, sizeBytes, ...(linkTarget === undefined ? {} : { linkTarget }) }, sha256, content };
}

function join(directory: string, name: string): string {
  return directory === "" || directory === "." ? name : `${directory}/${name}`;
}
