import { execFile } from "node:child_process";
import { mkdir, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const partMark = ".part-";

/**
 * Trees that are made once and then only read, in a directory of their own: bases, layers. Each appears whole or not at all, two requests
 * for one tree make it once, and those used least recently go when there are too many.
 */
export interface TreeStore {
  /**
   * @param make fills an empty directory, given relative to the data directory
   * @returns a hold on the tree; it is not removed before the hold is disposed
   */
  obtain(key: string, make: (part: string) => Promise<void>): Promise<Tree>;
}

export interface Tree extends Disposable {
  /** Relative to the data directory. */
  readonly path: string;
}

export async function openTreeStore(dataDirectory: string, { name, keep }: { name: string; keep: number }): Promise<TreeStore> {
  const directory = join(dataDirectory, name);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  for (const entry of await readdir(directory)) if (entry.includes(partMark)) await removeTree(join(directory, entry));
  const making = new Map<string, Promise<void>>();
  const holds = new Map<string, number>();

  const ensure = async (key: string, make: (part: string) => Promise<void>) => {
    if (await exists(join(directory, key))) return;
    const part = join(name, `${key}${partMark}${crypto.randomUUID()}`);
    try {
      await mkdir(join(dataDirectory, part), { mode: 0o755 });
      await make(part);
      // Of a machine that loses power, no half of a tree may have the name of a whole one.
      await promisify(execFile)("sync", ["-f", join(dataDirectory, part)]);
      await rename(join(dataDirectory, part), join(directory, key));
    } finally {
      await removeTree(join(dataDirectory, part));
    }
    await removeOldest(directory, { keep, isHeld: (entry) => holds.has(entry) || entry.includes(partMark) });
  };

  const release = (key: string) => {
    const count = (holds.get(key) ?? 1) - 1;
    if (count === 0) holds.delete(key);
    else holds.set(key, count);
  };

  return {
    obtain: async (key, make) => {
      holds.set(key, (holds.get(key) ?? 0) + 1);
      try {
        for (let other = making.get(key); other !== undefined; other = making.get(key)) await other.catch(() => {});
        const own = ensure(key, make).finally(() => making.delete(key));
        making.set(key, own);
        await own;
        await utimes(join(directory, key), new Date(), new Date());
      } catch (error) {
        release(key);
        throw error;
      }
      let held = true;
      return {
        path: join(name, key),
        [Symbol.dispose]: () => {
          if (held) release(key);
          held = false;
        },
      };
    },
  };
}

async function removeOldest(directory: string, { keep, isHeld }: { keep: number; isHeld(entry: string): boolean }): Promise<void> {
  const entries = await Promise.all(
    (await readdir(directory)).map(async (entry) => ({ entry, usedAt: (await stat(join(directory, entry))).mtimeMs })),
  );
  // What is held was used last, whatever its time says: a tree that was just made bears that of its making.
  entries.sort((a, b) => Number(isHeld(b.entry)) - Number(isHeld(a.entry)) || b.usedAt - a.usedAt);
  for (const { entry } of entries.slice(keep)) if (!isHeld(entry)) await removeTree(join(directory, entry));
}

/** Links are removed, never followed; nothing is ever mounted in a tree as the host sees it. */
export async function removeTree(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true });
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
