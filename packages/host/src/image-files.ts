import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract } from "tar-stream";

/** An index, a manifest or a configuration; they are JSON of some kilobytes. */
const maxDocumentBytes = 4 * 2 ** 20;
const maxFiles = 100_000;

type Place = { readonly file: string; readonly start: number; readonly sizeBytes: number };

/** The files that an image is stored in: those of a directory, or the members of a tar, read in any order. */
export class ImageFiles {
  readonly #placeOf: (path: string) => Promise<Place | undefined>;

  private constructor(placeOf: (path: string) => Promise<Place | undefined>) {
    this.#placeOf = placeOf;
  }

  static async open(path: string, signal: AbortSignal): Promise<ImageFiles> {
    if ((await stat(path)).isDirectory()) return new ImageFiles((name) => placeIn(path, name));
    const places = await membersOf(path, signal);
    return new ImageFiles(async (name) => places.get(name));
  }

  /** A small file whole; `undefined` where there is none. */
  async read(path: string): Promise<Buffer | undefined> {
    const place = await this.#placeOf(path);
    if (place === undefined) return undefined;
    if (place.sizeBytes > maxDocumentBytes) throw new Error(`reading ${path} of an image: it has ${place.sizeBytes} bytes`);
    return readPart(place, place.sizeBytes);
  }

  /** A file as a stream, and its first bytes. @throws Error where there is none */
  async stream(path: string): Promise<{ head: Buffer; content: Readable }> {
    const place = await this.#placeOf(path);
    if (place === undefined) throw new Error(`reading ${path} of an image: it is missing`);
    const { file, start, sizeBytes } = place;
    const head = await readPart(place, Math.min(4, sizeBytes));
    return { head, content: createReadStream(file, { start, end: Math.max(start, start + sizeBytes - 1), highWaterMark: 2 ** 20 }) };
  }
}

async function placeIn(directory: string, name: string): Promise<Place | undefined> {
  if (name.split("/").some((part) => part === ".." || part === "")) throw new Error(`reading an image: ${name} leads out of it`);
  const file = join(directory, name);
  const found = await stat(file).catch(() => undefined);
  return found?.isFile() ? { file, start: 0, sizeBytes: found.size } : undefined;
}

async function membersOf(file: string, signal: AbortSignal): Promise<Map<string, Place>> {
  const archive = extract();
  const feeding = pipeline(createReadStream(file, { highWaterMark: 2 ** 20 }), archive, { signal });
  feeding.catch(() => {});
  const places = new Map<string, Place>();
  for await (const entry of archive) {
    const { name, size: sizeBytes, type } = entry.header;
    // As tar-stream 3 has it, and its types do not.
    const start = "byteOffset" in entry.header ? Number(entry.header.byteOffset) : Number.NaN;
    if (places.size >= maxFiles) throw new Error(`reading ${file}: an image has at most ${maxFiles} files`);
    if (type === "file") places.set(name.replace(/^\.\//, ""), { file, start, sizeBytes });
    entry.resume();
  }
  await feeding;
  return places;
}

async function readPart({ file, start }: Place, length: number): Promise<Buffer> {
  await using handle = await open(file, "r");
  const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(length), length, position: start });
  if (bytesRead !== length) throw new Error(`reading ${file}: it ends early`);
  return buffer;
}
