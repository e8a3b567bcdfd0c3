import { createHash, hash } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";

export type HashAnswer = { readonly sha256: string } | { readonly changed: true } | { readonly reason: string };

const buffer = Buffer.allocUnsafe(2 ** 20);

/** Neither a link nor a device nor a pipe in a file's place makes the thread read elsewhere, or wait. */
const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;

/** SHA-256 of a regular file, and whether it stayed the same meanwhile. */
export function hashFile(place: string | Buffer): HashAnswer {
  let file: number | undefined;
  try {
    file = openSync(place, openFlags);
    return hashOpenFile(file);
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error) };
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** As `hashFile`, of a file that was opened and not read yet. */
export function hashOpenFile(file: number): HashAnswer {
  try {
    const before = fstatSync(file, { bigint: true });
    if (!before.isFile()) return { changed: true };
    const sha256 = before.size <= buffer.length ? hashSmall(file, Number(before.size)) : hashLarge(file);
    const after = fstatSync(file, { bigint: true });
    const isSame = before.size === after.size && before.mtimeNs === after.mtimeNs && before.ctimeNs === after.ctimeNs;
    return isSame && sha256 !== undefined ? { sha256 } : { changed: true };
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error) };
  }
}

/** `undefined` when it has become shorter. */
function hashSmall(file: number, sizeBytes: number): string | undefined {
  let length = 0;
  while (length < sizeBytes) {
    const read = readSync(file, buffer, length, sizeBytes - length, null);
    if (read === 0) return undefined;
    length += read;
  }
  return hash("sha256", buffer.subarray(0, length));
}

function hashLarge(file: number): string {
  const digest = createHash("sha256");
  for (;;) {
    const read = readSync(file, buffer, 0, buffer.length, null);
    if (read === 0) return digest.digest("hex");
    digest.update(buffer.subarray(0, read));
  }
}
