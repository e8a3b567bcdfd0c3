import { mkdir, readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { verifyNoteSignature } from "@quorate/signing/note-key";
import { type Checkpoint, verifyCheckpoint } from "@quorate/tlog/checkpoint";
import type { NoteKey } from "@quorate/tlog/note";
import { CommandError, errorLine } from "../command-error.ts";
import { saveFile } from "../own-files.ts";

/** A checkpoint that the log signed, and the note as it was seen. */
export type SeenCheckpoint = { readonly checkpoint: Checkpoint; readonly note: string };

/** Every distinct checkpoint that was seen, one file each: `<size>-<root, hexadecimal>`. They are evidence: none is ever removed. */
export class SeenCheckpoints {
  readonly #directory: string;
  readonly #seen = new Map<string, SeenCheckpoint>();
  #largest: SeenCheckpoint | undefined;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** @throws CommandError naming the file that is not what was kept there */
  static async open(directory: string, logKey: NoteKey): Promise<SeenCheckpoints> {
    await mkdir(directory, { recursive: true });
    const checkpoints = new SeenCheckpoints(directory);
    for (const name of await readdir(directory)) {
      if (/^(?:0|[1-9]\d*)-[0-9a-f]{64}$/.test(name)) checkpoints.#add(name, await loadSeen(join(directory, name), name, logKey));
    }
    return checkpoints;
  }

  /** Those of sizes from `from` to `to`, both included. */
  between(from: number, to: number): SeenCheckpoint[] {
    return [...this.#seen.values()].filter(({ checkpoint: { size } }) => size >= from && size <= to);
  }

  /** The one with the most entries. */
  get largest(): SeenCheckpoint | undefined {
    return this.#largest;
  }

  /** Keeps a checkpoint; it is durable when this returns. */
  async keep(seen: SeenCheckpoint): Promise<void> {
    const name = fileNameOf(seen.checkpoint);
    if (this.#seen.has(name)) return;
    await saveFile(join(this.#directory, name), seen.note);
    this.#add(name, seen);
  }

  #add(name: string, seen: SeenCheckpoint): void {
    this.#seen.set(name, seen);
    if (this.#largest === undefined || seen.checkpoint.size > this.#largest.checkpoint.size) this.#largest = seen;
  }
}

function fileNameOf({ size, root }: Checkpoint): string {
  return `${size}-${Buffer.from(root).toString("hex")}`;
}

async function loadSeen(path: string, name: string, logKey: NoteKey): Promise<SeenCheckpoint> {
  try {
    const note = await readFile(path, "utf8");
    const { checkpoint } = verifyCheckpoint(note, logKey, verifyNoteSignature);
    if (fileNameOf(checkpoint) !== name) throw new Error(`it is of size ${checkpoint.size} and another root than its name says`);
    return { note, checkpoint };
  } catch (cause) {
    throw new CommandError(
      `reading ${path}, a checkpoint that was seen before: ${errorLine(cause)}; put it back from a copy, or move it elsewhere to go on without it; if the log's key is another now, give another directory`,
      { cause },
    );
  }
}
