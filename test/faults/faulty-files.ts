import { existsSync, ftruncateSync, statSync, writeSync } from "node:fs";
import fsp from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { flushed, isOnDisk, takeStep } from "./fault-injection.ts";

const real = { ...fsp };
const pathOf = new WeakMap<FileHandle, string>();

async function open(path: string, flags = "r", mode?: number): Promise<FileHandle> {
  const isNew = flags !== "r" && !existsSync(path);
  const act = async () => {
    const file = await real.open(path, flags, mode);
    pathOf.set(file, path);
    if (isNew && isOnDisk(path)) flushed?.created(path);
    return file;
  };
  return flags === "r" ? act() : takeStep({ kind: "create", path, act });
}

Object.assign(fsp, {
  open,
  async writeFile(path: string, data: Uint8Array | string, options?: { mode?: number }) {
    const file = await open(path, "w", options?.mode);
    try {
      await file.writeFile(data);
    } finally {
      await file.close();
    }
  },
  rename: (from: string, to: string) => takeStep({ kind: "rename", path: to, act: () => real.rename(from, to) }),
  unlink: (path: string) => takeStep({ kind: "remove", path, act: () => real.unlink(path) }),
  rm: (path: string, options?: object) => takeStep({ kind: "remove", path, act: () => real.rm(path, options) }),
  mkdir(path: string, options?: object) {
    const act = () => real.mkdir(path, options);
    return existsSync(path) ? act() : takeStep({ kind: "mkdir", path, act });
  },
});
syncBuiltinESMExports();

const sample = await real.open("/dev/null");
const prototype: FileHandle = Object.getPrototypeOf(sample);
await sample.close();
const { writev, sync, datasync } = prototype;

/** Returns how many bytes were written. */
function writeAt(file: FileHandle, bytes: Uint8Array, position: number | null): Promise<number> {
  return takeStep({
    kind: "write",
    path: pathOf.get(file) ?? "",
    act: async () => (await writev.call(file, [bytes], position ?? undefined)).bytesWritten,
    half: () => writeSync(file.fd, bytes, 0, Math.floor(bytes.length / 2), position),
  });
}

function flush(file: FileHandle, how: () => Promise<void>): Promise<void> {
  const path = pathOf.get(file) ?? "";
  const act = async () => {
    const done = isOnDisk(path) ? flushed?.syncing(path) : undefined;
    await how.call(file);
    done?.();
  };
  return takeStep({ kind: statSync(path).isDirectory() ? "sync-directory" : "sync", path, act });
}

Object.assign(prototype, {
  async write(this: FileHandle, buffer: Uint8Array, offset = 0, length = buffer.length - offset, position: number | null = null) {
    return { buffer, bytesWritten: await writeAt(this, buffer.subarray(offset, offset + length), position) };
  },
  async writev(this: FileHandle, buffers: Uint8Array[], position: number | null = null) {
    return { buffers, bytesWritten: await writeAt(this, Buffer.concat(buffers), position) };
  },
  async writeFile(this: FileHandle, data: Uint8Array | string) {
    let rest: Uint8Array = Buffer.from(data);
    while (rest.length > 0) rest = rest.subarray(await writeAt(this, rest, null));
  },
  truncate(this: FileHandle, length: number) {
    return takeStep({ kind: "truncate", path: pathOf.get(this) ?? "", act: async () => ftruncateSync(this.fd, length) });
  },
  sync(this: FileHandle) {
    return flush(this, sync);
  },
  datasync(this: FileHandle) {
    return flush(this, datasync);
  },
});
