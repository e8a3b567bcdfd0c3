import { type BigIntStats, constants, lstatSync, readFileSync, readdirSync, readlinkSync, type Stats } from "node:fs";
import { decodePath, encodePath } from "@quorate/attestation/path-text";
import type { FileHasher, Hashing } from "./file-hasher.ts";
import { type FileIdentity, identityOf, isSameFile } from "./file-identity.ts";
import type { HashCache } from "./hash-cache.ts";
import type { FileDigest, HostTree, TreeEntry, TreeNode } from "./host-tree.ts";

/** dpkg's own database is the largest that is read whole. */
const maxReadBytes = 64 * 2 ** 20;

/** The identity is that of a file, where there is a cache that wants to know it. */
type Seen = { readonly node: TreeNode | undefined; readonly identity?: FileIdentity };

/** This host, a chroot or a mounted disk: a directory that is taken for the root. With a cache it is for one audit, and looks at each path once. */
export class DirectoryTree implements HostTree {
  readonly #root: string;
  readonly #hasher: FileHasher;
  readonly #cache: HashCache | undefined;
  readonly #seen = new Map<string, Seen>();

  constructor(root: string, hasher: FileHasher, cache?: HashCache) {
    this.#root = root.replace(/\/+$/, "");
    this.#hasher = hasher;
    this.#cache = cache;
  }

  node(path: string): TreeNode | undefined {
    return this.#cache === undefined ? nodeAt(placeOf(this.#root, path)) : this.#look(path).node;
  }

  entries(directory: string): readonly TreeEntry[] {
    return unlessMissing(() => entriesOf(placeOf(this.#root, directory))) ?? [];
  }

  read(path: string): Uint8Array | undefined {
    const node = this.node(path);
    if (node?.kind !== "file") return undefined;
    if (node.sizeBytes > maxReadBytes)
      throw new Error(`reading ${path}: it has ${node.sizeBytes} bytes, and at most ${maxReadBytes} are read`);
    return unlessMissing(() => readFileSync(placeOf(this.#root, path)));
  }

  async hash(paths: readonly string[], options: Hashing): Promise<ReadonlyMap<string, FileDigest>> {
    const cache = this.#cache;
    const found = new Map<string, FileDigest>();
    if (cache !== undefined) {
      for (const path of paths) {
        const { identity } = this.#look(path);
        const known = identity && cache.find(identity);
        if (known === undefined) continue;
        found.set(path, known);
        options.onFile?.();
      }
    }
    const wanted = found.size === 0 ? paths : paths.filter((path) => !found.has(path));
    const places = wanted.map((path) => placeOf(this.#root, path));
    const digests = await this.#hasher.hash(places, options);
    for (const [at, path] of wanted.entries()) {
      const [digest, place] = [digests[at], places[at]];
      if (digest !== undefined) found.set(path, digest);
      if (cache !== undefined && place !== undefined) this.#remember(cache, { path, place, digest });
    }
    return found;
  }

  /** Of a file that is still as it was when its node was looked at. */
  #remember(cache: HashCache, { path, place, digest }: { path: string; place: string | Buffer; digest: FileDigest | undefined }): void {
    const before = this.#look(path).identity;
    const after = before && seenAt(place).identity;
    if (before !== undefined && after !== undefined && isSameFile(before, after)) cache.remember(before, digest);
  }

  /** Once for each path: what is judged is what was found first. */
  #look(path: string): Seen {
    const known = this.#seen.get(path);
    if (known !== undefined) return known;
    const seen = seenAt(placeOf(this.#root, path));
    this.#seen.set(path, seen);
    return seen;
  }
}

/**
 * Names are read as text, which is faster, and again as bytes where one may be none. Where a file system does not say what an entry is, Node
 * looks at each by its name as text, and fails for the whole directory when one has no such name, or is gone.
 */
function entriesOf(place: string | Buffer): TreeEntry[] {
  return textEntriesOf(place) ?? readdirSync(place, { encoding: "buffer" }).map((name) => entryOf(place, name));
}

function textEntriesOf(place: string | Buffer): TreeEntry[] | undefined {
  try {
    const entries = readdirSync(place, { withFileTypes: true }).map((entry) => ({ name: entry.name, isDirectory: entry.isDirectory() }));
    return entries.every(({ name }) => !name.includes("\ufffd")) ? entries : undefined;
  } catch {
    return undefined;
  }
}

function entryOf(place: string | Buffer, name: Uint8Array): TreeEntry {
  const isDirectory = nodeAt(Buffer.concat([Buffer.from(place), Buffer.from("/"), name]))?.kind === "directory";
  return { name: decodePath(name), isDirectory };
}

/** A path that is no text is given to the kernel as its bytes. */
function placeOf(root: string, path: string): string | Buffer {
  const place = path === "." ? `${root}/` : `${root}/${path}`;
  return place.isWellFormed() ? place : Buffer.from(encodePath(place));
}

function nodeAt(place: string | Buffer): TreeNode | undefined {
  try {
    const stats = lstatSync(place, { throwIfNoEntry: false });
    return stats && nodeOf(place, stats);
  } catch (error) {
    return nodeOfFailure(error);
  }
}

/** As `nodeAt`, with the identity; that takes nanoseconds, which take longer. */
function seenAt(place: string | Buffer): Seen {
  try {
    const stats = lstatSync(place, { bigint: true, throwIfNoEntry: false });
    if (stats === undefined) return { node: undefined };
    const node = nodeOf(place, stats);
    return node.kind === "file" ? { node, identity: identityOf(stats) } : { node };
  } catch (error) {
    return { node: nodeOfFailure(error) };
  }
}

function nodeOfFailure(error: unknown): TreeNode | undefined {
  if (codeOf(error) === "ENOTDIR" || codeOf(error) === "ENOENT") return undefined;
  if (isForbidden(error)) return { kind: "unreadable", mode: 0, uid: 0, gid: 0, sizeBytes: 0 };
  throw error;
}

const kinds = new Map<number, TreeNode["kind"]>([
  [constants.S_IFREG, "file"],
  [constants.S_IFDIR, "directory"],
  [constants.S_IFLNK, "symlink"],
  [constants.S_IFCHR, "character-device"],
  [constants.S_IFBLK, "block-device"],
  [constants.S_IFIFO, "fifo"],
]);

function nodeOf(place: string | Buffer, stats: Stats | BigIntStats): TreeNode {
  const mode = Number(stats.mode);
  const kind = kinds.get(mode & constants.S_IFMT) ?? "socket";
  const node = { kind, mode: mode & 0o7777, uid: Number(stats.uid), gid: Number(stats.gid), sizeBytes: Number(stats.size) };
  return kind === "symlink" ? { ...node, linkTarget: decodePath(readlinkSync(place, { encoding: "buffer" })) } : node;
}

function unlessMissing<Value>(look: () => Value): Value | undefined {
  try {
    return look();
  } catch (error) {
    if (isForbidden(error) || ["ENOENT", "ENOTDIR"].includes(codeOf(error))) return undefined;
    throw error;
  }
}

const isForbidden = (error: unknown): boolean => codeOf(error) === "EACCES" || codeOf(error) === "EPERM";

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
