import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { cosigned, testWitnesses } from "@quorate/tlog/cosigned.fixture";
import { formatEntryBundle } from "@quorate/tlog/entry-bundle";
import { formatTile, newTiles, tileAt, tilePath, tileWidth } from "@quorate/tlog/tile";
import { PrefixTree } from "@quorate/verdict/prefix-tree";

/** A log's directory in the making, as a web server serves it; its tiles and its checkpoint are written when all entries are. */
export class WrittenLog {
  readonly tree = new PrefixTree(nodeHasher);
  readonly #directory: string;
  #bundle: Uint8Array[] = [];

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** @returns its index */
  append(entry: Uint8Array): number {
    this.tree.append(entry);
    this.#bundle.push(entry);
    if (this.#bundle.length === tileWidth) this.#writeBundle();
    return this.tree.size - 1;
  }

  /** Publishes what was appended, cosigned by the tests' witnesses. */
  publish(): void {
    const { size } = this.tree;
    if (this.#bundle.length > 0) this.#writeBundle();
    for (const tile of newTiles(0, size)) {
      const level = 8 * Number(tile.level);
      const hashes = Array.from({ length: tile.width }, (_, at) => this.tree.subtree({ level, index: tile.index * tileWidth + at }));
      this.#write(tilePath(tile), formatTile(hashes));
    }
    this.#write("checkpoint", cosigned({ size, root: this.tree.rootAt(size) }, testWitnesses));
  }

  #writeBundle(): void {
    const tile = tileAt("entries", Math.ceil(this.tree.size / tileWidth) - 1, this.tree.size);
    if (tile === undefined) throw new RangeError("writing an entry bundle: there are no entries");
    this.#write(tilePath(tile), formatEntryBundle(this.#bundle));
    this.#bundle = [];
  }

  #write(path: string, content: Uint8Array | string): void {
    mkdirSync(dirname(join(this.#directory, path)), { recursive: true });
    writeFileSync(join(this.#directory, path), content);
  }
}
