import { type BigIntStats, lstatSync, readFileSync, readdirSync, readlinkSync } from "node:fs";
import { decodePath, encodePath } from "@quorate/attestation/path-text";
import type { FileHasher, Hashing } from "./file-hasher.ts";
import { type HashCache, type IdentifiedFile, identify } from "./hash-cache.ts";
import type { FileDigest, HostTree, TreeNode } from "./host-tree.ts";

/** dpkg's own database is the largest that is read whole. */
const maxReadBytes = 64 * 2 ** 20;

type Seen = { readonly node: TreeNode | undefined; readonly identified?: IdentifiedFile };

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
    return this.#look(path).node;
  }

  list(directory: string): readonly string[] {
    return unlessMissing(() => readdirSync(placeOf(this.#root, directory), { encoding: "buffer" }).map((name) => decodePath(name))) ?? [];
  }

  read(path: string): Uint8Array | undefined {
    const node = this.node(path);
    if (node?.kind !== "file") return undefined;
    if (node.sizeBytes > maxReadBytes)
      throw new Error(`reading ${path}: it has ${node.sizeBytes} bytes, and at most ${maxReadBytes} are read`);
    return unlessMissing(() => readFileSync(placeOf(this.#root, path)));
  }

  async hash(paths: readonly string[], options: Hashing): Promise<ReadonlyMap<string, FileDigest>> {
    const files = paths.map((path) => {
      const { identified } = this.#cache === undefined ? {} : this.#look(path);
      return { path, place: placeOf(this.#root, path), identified, known: identified && this.#cache?.find(identified.identity) };
    });
    const found = new Map(files.flatMap(({ path, known }) => (known === undefined ? [] : [[path, known]])));
    for (let reused = 0; reused < found.size; reused += 1) options.onFile?.();
    const wanted = files.filter(({ known }) => known === undefined);
    const digests = await this.#hasher.hash(
      wanted.map(({ place }) => place),
      options,
    );
    for (const [at, { path, place, identified }] of wanted.entries()) {
      const digest = digests[at];
      if (digest !== undefined) found.set(path, digest);
      if (identified !== undefined && lookAt(place).identified?.identity === identified.identity) this.#cache?.remember(identified, digest);
    }
    return found;
  }

  #look(path: string): Seen {
    const seen = this.#seen.get(path) ?? lookAt(placeOf(this.#root, path));
    if (this.#cache !== undefined) this.#seen.set(path, seen);
    return seen;
  }
}

/** A path that is no text is given to the kernel as its bytes. */
function placeOf(root: string, path: string): string | Buffer {
  const place = path === "." ? `${root}/` : `${root}/${path}`;
  return place.isWellFormed() ? place : Buffer.from(encodePath(place));
}

function lookAt(place: string | Buffer): Seen {
  try {
    const stats = lstatSync(place, { bigint: true, throwIfNoEntry: false });
    if (stats === undefined) return { node: undefined };
    const kind = kindOf(stats);
    const access = { mode: Number(stats.mode & 0o7777n), uid: Number(stats.uid), gid: Number(stats.gid), sizeBytes: Number(stats.size) };
    if (kind === "file") return { node: { kind, ...access }, identified: identify(stats) };
    const linkTarget = kind === "symlink" ? decodePath(readlinkSync(place, { encoding: "buffer" })) : undefined;
    return { node: { kind, ...access, ...(linkTarget === undefined ? {} : { linkTarget }) } };
  } catch (error) {
    if (codeOf(error) === "ENOTDIR" || codeOf(error) === "ENOENT") return { node: undefined };
    if (isForbidden(error)) return { node: { kind: "unreadable", mode: 0, uid: 0, gid: 0, sizeBytes: 0 } };
    throw error;
  }
}

function kindOf(stats: BigIntStats): TreeNode["kind"] {
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) return "symlink";
  if (stats.isCharacterDevice()) return "character-device";
  if (stats.isBlockDevice()) return "block-device";
  return stats.isFIFO() ? "fifo" : "socket";
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
