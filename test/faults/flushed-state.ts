import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { FlushedFiles } from "./fault-plan.ts";

type Content = { bytes: Buffer };

/**
 * What of a directory is certainly on the disk, by the letter of POSIX: the bytes of a file from its last fsync, the names in a directory
 * from the directory's, both from the file system's. Everything in it at first is.
 */
export class FlushedState {
  readonly #contentOfInode = new Map<number, Content>();
  /** By path: what each name stands for; null for a directory. */
  readonly #directories = new Map<string, Map<string, Content | null>>();

  constructor(directory: string) {
    this.#take(directory);
  }

  /** A file came into being: of it nothing is on the disk, whatever had its inode before. */
  created(path: string): void {
    this.#contentOfInode.set(statSync(path).ino, { bytes: Buffer.alloc(0) });
  }

  /** To be called when an fsync begins; what it returns, when that has succeeded. */
  syncing(path: string): () => void {
    if (statSync(path).isDirectory()) {
      const names = this.#names(path);
      return () => void this.#directories.set(path, names);
    }
    const content = this.#content(path);
    const bytes = readFileSync(path);
    return () => {
      content.bytes = bytes;
    };
  }

  /** The same for everything in a directory and below, as syncfs flushes it. */
  syncingAll(directory: string): () => void {
    const syncing = readdirSync(directory, { withFileTypes: true }).map((entry) => {
      const path = join(directory, entry.name);
      return entry.isDirectory() ? this.syncingAll(path) : this.syncing(path);
    });
    syncing.push(this.syncing(directory));
    return () => {
      for (const done of syncing) done();
    };
  }

  toJSON(): FlushedFiles {
    const contents = new Map<Content, number>();
    const numberOf = (content: Content) => {
      const number = contents.get(content) ?? contents.size;
      contents.set(content, number);
      return number;
    };
    const directories = Array.from(this.#directories, ([path, names]): FlushedFiles["directories"][number] => [
      path,
      Array.from(names, ([name, content]) => [name, content === null ? null : numberOf(content)]),
    ]);
    const contentOfInode = Array.from(this.#contentOfInode, ([inode, content]): [number, number] => [inode, numberOf(content)]);
    return { directories, contentOfInode, contents: Array.from(contents.keys(), ({ bytes }) => bytes.toString("base64")) };
  }

  #take(directory: string): void {
    for (const entry of readdirSync(directory, { withFileTypes: true })) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) this.#take(path);
      else this.#content(path).bytes = readFileSync(path);
    }
    this.#directories.set(directory, this.#names(directory));
  }

  #names(directory: string): Map<string, Content | null> {
    const entries = readdirSync(directory, { withFileTypes: true });
    return new Map(entries.map((entry) => [entry.name, entry.isDirectory() ? null : this.#content(join(directory, entry.name))]));
  }

  #content(path: string): Content {
    const { ino } = statSync(path);
    const content = this.#contentOfInode.get(ino) ?? { bytes: Buffer.alloc(0) };
    this.#contentOfInode.set(ino, content);
    return content;
  }
}
