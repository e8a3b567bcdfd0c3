import { type Hash, createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type Readable, Transform } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { ArchiveTree } from "./archive-tree.ts";
import { ImageFiles } from "./image-files.ts";
import { type ImageLayer, findLayers } from "./image-layers.ts";

export type Loading = {
  /** Debian's name of the architecture that is wanted of an image for several. */
  readonly architecture: string;
  readonly onLayer?: (done: number, all: number) => void;
  readonly signal: AbortSignal;
};

/** The files of an image: a directory or a tar in the OCI image layout, or what `docker save` writes. Its layers stream past, one by one. */
export async function loadImage(path: string, { architecture, onLayer = () => {}, signal }: Loading): Promise<ArchiveTree> {
  const files = await ImageFiles.open(path, signal);
  const layers = await findLayers(files, architecture);
  const tree = new ArchiveTree();
  for (const [at, layer] of layers.entries()) {
    await addLayer(tree, layer, files, signal);
    onLayer(at + 1, layers.length);
  }
  return tree;
}

/** The files of a root file system in a tar, such as an export of a container or of WSL, plain or compressed. */
export async function loadTar(path: string, signal: AbortSignal): Promise<ArchiveTree> {
  const tree = new ArchiveTree();
  const head = await firstBytes(path);
  await tree.addTar(unpacked(head, createReadStream(path, { highWaterMark: 2 ** 20 })), signal);
  return tree;
}

async function firstBytes(path: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of createReadStream(path, { end: 3 })) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function addLayer(tree: ArchiveTree, { path, sha256, digestOf }: ImageLayer, files: ImageFiles, signal: AbortSignal): Promise<void> {
  const { head, content } = await files.stream(path);
  const digest = createHash("sha256");
  const stored = digestOf === "file" ? hashing(content, digest) : content;
  const tar = unpacked(head, stored);
  await tree.addLayer(digestOf === "tar" ? hashing(tar, digest) : tar, signal);
  const actual = digest.digest("hex");
  if (actual !== sha256) throw new Error(`reading layer ${path} of an image: its digest is ${actual} instead of ${sha256}`);
}

function hashing(source: Readable, digest: Hash): Readable {
  return piped(
    source,
    new Transform({
      transform(chunk: Buffer, _encoding, done) {
        digest.update(chunk);
        done(null, chunk);
      },
    }),
  );
}

/** By what it begins with: media types say less, and lie. */
function unpacked(head: Buffer, source: Readable): Readable {
  if (head[0] === 0x1f && head[1] === 0x8b) return piped(source, createGunzip());
  if (head.equals(Buffer.of(0x28, 0xb5, 0x2f, 0xfd))) return piped(source, createZstdDecompress());
  return source;
}

/** An error of the source ends what reads it; and when that ends early, the source is closed. */
function piped<Target extends Readable & NodeJS.WritableStream>(source: Readable, target: Target): Target {
  source.once("error", (error) => target.destroy(error));
  target.once("close", () => source.destroy());
  source.pipe(target);
  return target;
}
