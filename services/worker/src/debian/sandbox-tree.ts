import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, lstat, open, readdir } from "node:fs/promises";
import { type Sha256, parseSha256 } from "@quorate/protocol/digest";
import { BuildFailure } from "./build-failure.ts";

/** A regular file of a tree that untrusted programs have written. `path` is the file's name as bytes, below the tree. */
export type TreeFile = { path: Buffer; fullPath: Buffer };

/**
 * A directory inside a sandbox as a path of the host.
 *
 * @throws BuildFailure when a part of the path is anything but a directory: a link that a build put there would lead into the host's tree
 */
export async function resolveInside(hostRoot: string, directory: string): Promise<string> {
  let path = hostRoot;
  for (const name of directory.split("/").filter((part) => part !== "")) {
    path = `${path}/${name}`;
    if (await isDirectory(path)) continue;
    throw new BuildFailure("build-failed", { step: "collect", message: `${directory}: ${name} is not a directory after the build` });
  }
  return path;
}

async function isDirectory(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  return found?.isDirectory() === true;
}

const slash = Buffer.from("/");

/**
 * The regular files of a tree. Links are not followed, directories are entered only where they are directories, and nothing else is
 * looked at: no process may run in the tree meanwhile.
 */
export async function* walkFiles(directory: Buffer, below: Buffer = Buffer.alloc(0)): AsyncGenerator<TreeFile> {
  const entries = await readdir(directory, { withFileTypes: true, encoding: "buffer" });
  for (const entry of entries) {
    const fullPath = Buffer.concat([directory, slash, entry.name]);
    const path = below.length === 0 ? entry.name : Buffer.concat([below, slash, entry.name]);
    if (entry.isDirectory()) yield* walkFiles(fullPath, path);
    else if (entry.isFile()) yield { path, fullPath };
  }
}

/** Opens what is a file, never what a link points to, and without waiting for the other end of a pipe. */
export async function openTreeFile(path: Buffer | string): Promise<FileHandle> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new Error(`reading ${path.toString()}: not a regular file`);
}

const maxChunkBytes = 1024 * 1024;

export async function hashTreeFile(path: Buffer): Promise<{ sizeBytes: number; sha256: Sha256 }> {
  await using file = await openTreeFile(path);
  // A build's tree has many thousands of small files: no more memory for each than it needs, and one byte to see its end.
  const chunk = Buffer.allocUnsafe(Math.min((await file.stat()).size + 1, maxChunkBytes));
  const hash = createHash("sha256");
  let sizeBytes = 0;
  for (;;) {
    const { bytesRead } = await file.read(chunk, 0, chunk.length, null);
    if (bytesRead === 0) break;
    hash.update(chunk.subarray(0, bytesRead));
    sizeBytes += bytesRead;
  }
  return { sizeBytes, sha256: parseSha256(hash.digest("hex")) };
}
