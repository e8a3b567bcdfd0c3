import { mkdir, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeDurableDirectory, syncDirectory } from "@quorate/service/durable-file";
import type { TileFile } from "./tree-edge.ts";
import { syncFileSystem } from "@quorate/service/sync-file-system";

/** How many files are fsynced or removed at a time: enough to keep a disk's queue busy, few enough to leave the thread pool to others. */
const filesAtOnce = 3;

/** So many are flushed one by one, without what others have written to the file system; more are flushed with all of it. */
const fewFiles = 8;

/** The public files of the log: `checkpoint` and `tile/…`. */
export interface TileStore {
  /** Resolves when the files can be read, whole; `sync` makes them durable. */
  write(files: readonly TileFile[]): Promise<void>;
  /** The bytes of a file, or undefined when there is none. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** Makes everything written until now durable, then drops partial tiles whose full tile is. */
  sync(): Promise<void>;
  /** Whether nothing was ever written here. */
  isEmpty(): Promise<boolean>;
}

/**
 * The public files in a directory that any web server can serve. A file appears whole (rename) but not durably: until `sync`, the journal
 * holds the same bytes.
 */
export class DirectoryTileStore implements TileStore {
  readonly #directory: string;
  readonly #directories = new Set<string>();
  #unsynced = new Set<string>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  async write(files: readonly TileFile[]): Promise<void> {
    await Promise.all(files.map((file) => this.#writeOne(file)));
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    try {
      return await readFile(join(this.#directory, path));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async sync(): Promise<void> {
    const paths = this.#unsynced;
    this.#unsynced = new Set();
    const full = Array.from(paths).filter((path) => path.startsWith("tile/") && !path.includes(".p/"));
    const superseded = new Set(full.map((path) => `${path}.p`));
    const kept = Array.from(paths).filter((path) => !superseded.has(dirname(path)));
    if (kept.length > fewFiles) await syncFileSystem(this.#directory);
    else await this.#syncEach(kept);
    await inParallel(full, (path) => rm(join(this.#directory, `${path}.p`), { recursive: true, force: true }));
    for (const directory of superseded) this.#directories.delete(directory);
  }

  async isEmpty(): Promise<boolean> {
    await makeDurableDirectory(this.#directory, 0o755);
    return (await readdir(this.#directory)).length === 0;
  }

  async #syncEach(paths: readonly string[]): Promise<void> {
    await inParallel(paths, (path) => syncFile(join(this.#directory, path)));
    await inParallel(Array.from(new Set(paths.flatMap(ancestors))), (path) => syncDirectory(join(this.#directory, path)));
  }

  async #writeOne({ path, bytes }: TileFile): Promise<void> {
    const target = join(this.#directory, path);
    const directory = dirname(path);
    if (!this.#directories.has(directory)) {
      await mkdir(join(this.#directory, directory), { recursive: true, mode: 0o755 });
      this.#directories.add(directory);
    }
    // One name for each unfinished file: the next attempt overwrites it. No reader asks for it, since it is no tile path.
    await writeFile(`${target}.unfinished`, bytes, { mode: 0o644 });
    await rename(`${target}.unfinished`, target);
    this.#unsynced.add(path);
  }
}

/** A path's directories, from the nearest to the store's own. */
function ancestors(path: string): string[] {
  const parent = dirname(path);
  return parent === "." ? ["."] : [parent, ...ancestors(parent)];
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

async function inParallel(paths: readonly string[], act: (path: string) => Promise<void>): Promise<void> {
  const rest = paths.values();
  const lane = async () => {
    for (const path of rest) await act(path);
  };
  await Promise.all(Array.from({ length: filesAtOnce }, lane));
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}
