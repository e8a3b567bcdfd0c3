import { createHash, randomUUID } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, open, readdir, rename, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createZstdCompress, createZstdDecompress } from "node:zlib";
import { parseSha256, type Sha256 } from "@quorate/protocol/digest";
import { syncDirectory, temporaryPrefix } from "@quorate/service/durable-file";

/** What was sent is not what was announced. */
export class BlobRefusedError extends Error {
  readonly reason: "digest-differs" | "too-large";

  constructor(reason: "digest-differs" | "too-large", message: string) {
    super(message);
    this.name = "BlobRefusedError";
    this.reason = reason;
  }
}

/** Content named by its SHA-256, as zstd files `<directory>/ab/cdef….zst`. */
export type BlobStore = {
  has(sha256: Sha256): Promise<boolean>;
  /** The content, as it is read from disk; `undefined` when it is not there. */
  read(sha256: Sha256): Promise<Readable | undefined>;
  /** The whole content. @throws Error when it is not there, larger than `maxBytes`, or damaged */
  load(sha256: Sha256, maxBytes: number): Promise<Uint8Array>;
  /** Durable when the promise resolves. Content that is there already is not written again. @throws BlobRefusedError */
  write(expected: { sha256: Sha256; maxBytes: number }, content: AsyncIterable<Uint8Array>): Promise<void>;
};

/** Opens the store and deletes what an earlier process left unfinished. */
export async function openBlobStore(directory: string): Promise<BlobStore> {
  const incoming = join(directory, "incoming");
  await mkdir(incoming, { recursive: true, mode: 0o700 });
  for (const name of await readdir(incoming)) await unlink(join(incoming, name));
  const pathOf = (sha256: Sha256) => join(directory, sha256.slice(0, 2), `${sha256.slice(2)}.zst`);
  const has = (sha256: Sha256) =>
    stat(pathOf(sha256)).then(
      () => true,
      () => false,
    );
  const read = async (sha256: Sha256) => ((await has(sha256)) ? decompressed(createReadStream(pathOf(sha256))) : undefined);
  return {
    has,
    read,
    async load(sha256, maxBytes) {
      const content = await read(sha256);
      if (!content) throw new Error(`loading blob ${sha256}: it is not in the store; its owner has not uploaded it`);
      return loadChecked(content, { sha256, maxBytes });
    },
    async write(expected, content) {
      const temporary = join(incoming, `${temporaryPrefix}${randomUUID()}`);
      try {
        await pipeline(content, checked(expected), compressor(), createWriteStream(temporary, { mode: 0o600 }));
        await syncFile(temporary);
        await mkdir(dirname(pathOf(expected.sha256)), { recursive: true, mode: 0o700 });
        await rename(temporary, pathOf(expected.sha256));
        await syncDirectory(dirname(pathOf(expected.sha256)));
        await syncDirectory(directory);
      } catch (error) {
        await unlink(temporary).catch(() => undefined);
        throw error;
      }
    },
  };
}

const compressor = () => createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 } });

function decompressed(file: Readable): Readable {
  const decompress = createZstdDecompress();
  file.on("error", (error) => decompress.destroy(error));
  decompress.on("close", () => file.destroy());
  return file.pipe(decompress);
}

/** Passes content through, and fails at its end unless it has the digest. */
function checked(expected: { sha256: Sha256; maxBytes: number }): Transform {
  const hash = createHash("sha256");
  let size = 0;
  return new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      size += chunk.length;
      if (size > expected.maxBytes) {
        return done(new BlobRefusedError("too-large", `storing blob ${expected.sha256}: it has more than ${expected.maxBytes} bytes`));
      }
      hash.update(chunk);
      done(null, chunk);
    },
    flush(done) {
      const actual = hash.digest("hex");
      if (actual === expected.sha256) return done();
      done(new BlobRefusedError("digest-differs", `storing blob ${expected.sha256}: the content that came has digest ${actual}`));
    },
  });
}

async function loadChecked(content: Readable, expected: { sha256: Sha256; maxBytes: number }): Promise<Uint8Array> {
  const hash = createHash("sha256");
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of content as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > expected.maxBytes) throw new Error(`loading blob ${expected.sha256}: it has more than ${expected.maxBytes} bytes`);
    hash.update(chunk);
    chunks.push(chunk);
  }
  const actual = parseSha256(hash.digest("hex"));
  if (actual !== expected.sha256) throw new Error(`loading blob ${expected.sha256}: the stored file is damaged; restore it from a backup`);
  return new Uint8Array(Buffer.concat(chunks));
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
