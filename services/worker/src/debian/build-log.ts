import { createHash } from "node:crypto";
import { type FileHandle, open, rename } from "node:fs/promises";
import { StringDecoder } from "node:string_decoder";
import { parseSha256 } from "@quorate/protocol/digest";
import type { LocalFile } from "../executor.ts";

/** The beginning and the end of a log are what explains a build; what is between is left out of a longer one. */
const defaultBounds = { headBytes: 12 * 1024 * 1024, tailBytes: 4 * 1024 * 1024 };
const maxLiveLines = 400;
const maxLiveLineLength = 1000;
const liveMilliseconds = 250;

/** What a build prints: kept in a file within bounds, and passed on live in batches. Never slows the build down. */
export class BuildLog implements Disposable {
  readonly #path: string;
  readonly #onLines: (lines: string[]) => void;
  readonly #bounds: { headBytes: number; tailBytes: number };
  readonly #head: Buffer[] = [];
  readonly #tail: Buffer[] = [];
  #headBytes = 0;
  #tailBytes = 0;
  #leftOutBytes = 0;
  readonly #decoder = new StringDecoder("utf8");
  #line = "";
  #lines: string[] = [];
  #unsentLines = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(path: string, onLines: (lines: string[]) => void, bounds = defaultBounds) {
    this.#path = path;
    this.#onLines = onLines;
    this.#bounds = bounds;
  }

  /** A line of this program's own. */
  note(text: string): void {
    this.write(Buffer.from(`quorate: ${text}\n`));
  }

  write(chunk: Buffer): void {
    const room = Math.max(0, this.#bounds.headBytes - this.#headBytes);
    if (room > 0) this.#head.push(chunk.subarray(0, room));
    this.#headBytes += Math.min(room, chunk.length);
    if (chunk.length > room) this.#keepTail(chunk.subarray(room));
    this.#passOn(chunk);
  }

  /** Whether the end of the log has this text: the last resort for telling why a program gave up. */
  endsWithMention(text: string): boolean {
    const end = Buffer.concat([...this.#head, ...this.#tail].slice(-200));
    return end.subarray(-64 * 1024).includes(text);
  }

  async save(name: string): Promise<LocalFile> {
    this.flush();
    const gap = this.#leftOutBytes === 0 ? "" : `\nquorate: ${this.#leftOutBytes} bytes of the log are left out here\n`;
    const bytes = Buffer.concat([...this.#head, Buffer.from(gap), ...this.#tail]);
    await writeWhole(this.#path, bytes);
    const sha256 = parseSha256(createHash("sha256").update(bytes).digest("hex"));
    return { name, path: this.#path, sizeBytes: bytes.length, sha256 };
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#unsentLines > 0) this.#lines.push(`quorate: ${this.#unsentLines} more lines are in the build log only`);
    const lines = this.#lines;
    this.#lines = [];
    this.#unsentLines = 0;
    if (lines.length > 0) this.#onLines(lines);
  }

  [Symbol.dispose](): void {
    this.flush();
  }

  #keepTail(chunk: Buffer): void {
    this.#tail.push(chunk);
    this.#tailBytes += chunk.length;
    for (
      let first = this.#tail[0];
      first !== undefined && this.#tailBytes - first.length >= this.#bounds.tailBytes;
      first = this.#tail[0]
    ) {
      this.#tail.shift();
      this.#tailBytes -= first.length;
      this.#leftOutBytes += first.length;
    }
  }

  #passOn(chunk: Buffer): void {
    const pieces = (this.#line + this.#decoder.write(chunk)).split("\n");
    this.#line = (pieces.pop() ?? "").slice(0, maxLiveLineLength);
    for (const piece of pieces) {
      if (this.#lines.length < maxLiveLines) this.#lines.push(piece.slice(0, maxLiveLineLength).toWellFormed());
      else this.#unsentLines += 1;
    }
    if (this.#lines.length > 0) this.#timer ??= setTimeout(() => this.flush(), liveMilliseconds);
  }
}

async function writeWhole(path: string, bytes: Buffer): Promise<void> {
  const part = `${path}.part`;
  const file: FileHandle = await open(part, "w", 0o644);
  try {
    await file.writeFile(bytes);
  } finally {
    await file.close();
  }
  await rename(part, path);
}
