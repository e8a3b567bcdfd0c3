import { mkdir, readdir, readFile, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import { lockDirectory, lockFileNames } from "./directory-lock.ts";
import { diskTrouble } from "./disk-trouble.ts";
import { syncDirectory, temporaryPrefix, writeDurableFile } from "./durable-file.ts";

/** What a data directory says of itself, in its file `format`: `{"service":"log","format":1}`. */
const formatSchema = z.object({ service: z.string(), format: z.int().positive() });

export type DataDirectory = AsyncDisposable & {
  readonly path: string;
  /** True when this opening made the directory: nothing was ever stored in it. */
  readonly created: boolean;
  /** The format that was found; lower than the wanted one when the service must migrate, then `markFormat`. */
  readonly format: number;
  markFormat(format: number): Promise<void>;
};

type Wanted = { path: string; service: string; format: number };

/**
 * Opens a service's data directory for this process alone, making it (mode 0700) when missing.
 * @throws Error when another process has it, it belongs to another service, holds something else, or was written by a newer version
 */
export async function openDataDirectory(wanted: Wanted): Promise<DataDirectory> {
  try {
    return await openOwn(wanted);
  } catch (cause) {
    const trouble = diskTrouble(cause);
    throw trouble === undefined ? cause : new Error(`opening ${wanted.path}: ${trouble}`, { cause });
  }
}

async function openOwn(wanted: Wanted): Promise<DataDirectory> {
  const { path, service } = wanted;
  await makeDirectory(resolve(path));
  // Before anything is written: a directory that is refused stays as it was.
  await findFormat(wanted);
  const lock = lockDirectory(path);
  try {
    const found = await findFormat(wanted);
    if (found === undefined) {
      await syncDirectory(dirname(resolve(path)));
      await writeFormat(path, service, wanted.format);
    }
    return {
      path,
      created: found === undefined,
      format: found?.format ?? wanted.format,
      markFormat: (format) => writeFormat(path, service, format),
      [Symbol.asyncDispose]: async () => lock[Symbol.dispose](),
    };
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
}

/** With the directories above it. Node's own `recursive` tries for ever where the file system makes none, as /proc. */
async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EEXIST" && (await stat(path)).isDirectory()) return;
    const parent = dirname(path);
    if (code !== "ENOENT" || parent === path || (await isThere(parent))) throw error;
    await makeDirectory(parent);
    await syncDirectory(dirname(parent));
    await makeDirectory(path);
  }
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

/** @throws Error when the directory is not for this service in this version */
async function findFormat(wanted: Wanted) {
  const found = await readFormat(wanted.path);
  if (found === undefined) await refuseForeignFiles(wanted.path, wanted.service);
  else refuseOther(found, wanted);
  return found;
}

async function readFormat(path: string) {
  const file = join(path, "format");
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    return formatSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new Error(`opening ${path}: its file "format" cannot be read; restore it from a backup or configure another directory`, {
      cause: error,
    });
  }
}

function refuseOther(found: z.infer<typeof formatSchema>, wanted: Wanted): void {
  const { path, service } = wanted;
  if (found.service !== service)
    throw new Error(`opening ${path}: it is a ${found.service}'s data, not a ${service}'s; configure another directory`);
  if (found.format > wanted.format)
    throw new Error(
      `opening ${path}: its format ${found.format} is newer than ${wanted.format}, the newest this version knows; run a newer version`,
    );
}

async function refuseForeignFiles(path: string, service: string): Promise<void> {
  const foreign = (await readdir(path)).filter(
    (name) => !lockFileNames.includes(name) && !name.startsWith(temporaryPrefix) && name !== "lost+found",
  );
  if (foreign.length > 0)
    throw new Error(
      `opening ${path}: it holds other files (such as ${foreign[0]}) and is no ${service}'s data; configure an empty or new directory`,
    );
}

async function writeFormat(path: string, service: string, format: number): Promise<void> {
  await writeDurableFile(join(path, "format"), `${JSON.stringify({ service, format })}\n`, { mode: 0o600 });
}
