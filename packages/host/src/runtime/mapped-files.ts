import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { digestOf } from "../file-hasher.ts";
import { changedAtOf, identityText, settledSeconds } from "../file-identity.ts";
import { hashOpenFile } from "../hash-file.ts";
import type { FileDigest } from "../host-tree.ts";

/** A file whose bytes processes run. */
export type MappedFile = {
  /** Device and inode, as stat(2) has them. */
  readonly inode: string;
  readonly digest: FileDigest;
};

type Hashed = { readonly digest: FileDigest; readonly dueAt: number };

/** A write to the disk below the file system changes no time of a file: each is hashed again within the hour. */
const maxAgeSeconds = 3600;

/** Digests of the files that processes have mapped: each is opened once a sweep, and hashed when it is new, has changed, or is due. */
export class MappedFiles {
  readonly #random: () => number;
  readonly #hashed = new Map<string, Hashed>();
  readonly #opened = new Map<string, MappedFile>();

  constructor(random: () => number) {
    this.#random = random;
  }

  /** From here on every file is looked at again. */
  beginSweep(): void {
    this.#opened.clear();
    const now = Date.now() / 1000;
    for (const [identity, { dueAt }] of this.#hashed) if (dueAt <= now || dueAt > now + maxAgeSeconds) this.#hashed.delete(identity);
  }

  /** @param key device and inode as the kernel writes them in maps. @throws the system's error when the place cannot be opened */
  open(key: string, place: string): MappedFile {
    const known = this.#opened.get(key);
    if (known !== undefined) return known;
    const file = openSync(place, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    try {
      const opened = this.#digest(file);
      this.#opened.set(key, opened);
      return opened;
    } finally {
      closeSync(file);
    }
  }

  #digest(file: number): MappedFile {
    const now = Date.now() / 1000;
    const stats = fstatSync(file, { bigint: true });
    const identity = identityText(stats);
    // Not all become due in one sweep.
    const dueAt = now + maxAgeSeconds * (1 - this.#random() / 2);
    const hashed = this.#hashed.get(identity) ?? { digest: digestOf(hashOpenFile(file)), dueAt };
    if (now - changedAtOf(stats) >= settledSeconds && hashed.digest.kind === "hashed") this.#hashed.set(identity, hashed);
    return { inode: `${stats.dev}:${stats.ino}`, digest: hashed.digest };
  }
}
