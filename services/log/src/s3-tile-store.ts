import type { ObjectHeaders, S3Bucket } from "./s3-bucket.ts";
import type { TileStore } from "./tile-store.ts";
import type { TileFile } from "./tree-edge.ts";

const tileHeaders: ObjectHeaders = { contentType: "application/octet-stream", cacheControl: "public, max-age=31536000, immutable" };
const checkpointHeaders: ObjectHeaders = { contentType: "text/plain; charset=utf-8", cacheControl: "public, max-age=1" };

/** The public files as objects of a bucket, with the headers that they are to be served with. What is written is durable. */
export class S3TileStore implements TileStore {
  readonly #bucket: S3Bucket;
  /** By the path of the full tile, as far as this process has written them. */
  readonly #partials = new Map<string, string[]>();
  #superseded: string[] = [];

  constructor(bucket: S3Bucket) {
    this.#bucket = bucket;
  }

  async write(files: readonly TileFile[]): Promise<void> {
    await Promise.all(
      files.map(({ path, bytes }) => this.#bucket.put(path, bytes, path === "checkpoint" ? checkpointHeaders : tileHeaders)),
    );
    for (const { path } of files) this.#note(path);
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    return this.#bucket.get(path);
  }

  async sync(): Promise<void> {
    const paths = this.#superseded;
    this.#superseded = [];
    await Promise.all(paths.map((path) => this.#bucket.delete(path)));
  }

  async isEmpty(): Promise<boolean> {
    const listed = await Promise.all(["checkpoint", "tile/", "staging/"].map((prefix) => this.#bucket.list(prefix)));
    return listed.flat().length === 0;
  }

  #note(path: string): void {
    const [full, width] = path.split(".p/");
    if (full === undefined) return;
    const partials = this.#partials.get(full) ?? [];
    if (width !== undefined) this.#partials.set(full, [...partials, path]);
    else if (this.#partials.delete(full)) this.#superseded.push(...partials);
  }
}
