import { mkdir, readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { writeDurableFile } from "@quorate/service/durable-file";
import { verifyEd25519 } from "@quorate/signing/note-key";
import { type Checkpoint, verifyCheckpoint } from "@quorate/tlog/checkpoint";
import type { NoteKey } from "@quorate/tlog/note";

/** A checkpoint that the log signed, and the note as it was seen. */
export type SeenCheckpoint = { readonly checkpoint: Checkpoint; readonly note: string };

/** Every distinct checkpoint that was seen, one file each: `<size>-<root, hexadecimal>`. They are evidence: none is ever removed. */
export class SeenCheckpoints {
  readonly #directory: string;
  readonly #seen = new Map<string, SeenCheckpoint>();

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async open(directory: string, logKey: NoteKey): Promise<SeenCheckpoints> {
    await mkdir(directory, { recursive: true });
    const checkpoints = new SeenCheckpoints(directory);
    for (const name of await readdir(directory)) {
      if (!/^(?:0|[1-9]\d*)-[0-9a-f]{64}$/.test(name)) continue;
      const note = await readFile(join(directory, name), "utf8");
      checkpoints.#seen.set(name, { note, checkpoint: verifyCheckpoint(note, logKey, verifyEd25519).checkpoint });
    }
    return checkpoints;
  }

  /** Those of a size: two of them contradict each other. */
  ofSize(size: number): SeenCheckpoint[] {
    return [...this.#seen.values()].filter(({ checkpoint }) => checkpoint.size === size);
  }

  /** The one with the most entries. */
  largest(): SeenCheckpoint | undefined {
    return [...this.#seen.values()].reduce<SeenCheckpoint | undefined>(
      (most, one) => (most && most.checkpoint.size >= one.checkpoint.size ? most : one),
      undefined,
    );
  }

  /** Keeps a checkpoint; it is durable when this returns. @returns whether it is new */
  async keep(seen: SeenCheckpoint): Promise<boolean> {
    const name = `${seen.checkpoint.size}-${Buffer.from(seen.checkpoint.root).toString("hex")}`;
    if (this.#seen.has(name)) return false;
    await writeDurableFile(join(this.#directory, name), seen.note);
    this.#seen.set(name, seen);
    return true;
  }
}
