import type { BigIntStats } from "node:fs";

/** Whoever writes to a file as the kernel knows it changes one of these. Times are nanoseconds since 1970. */
export type FileIdentity = Readonly<Pick<BigIntStats, "dev" | "ino" | "size" | "mtimeNs" | "ctimeNs">>;

/** A file that was just written may be written again within one tick of the clock. */
export const settledSeconds = 2;

export function identityOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): FileIdentity {
  return { dev, ino, size, mtimeNs, ctimeNs };
}

export function isSameFile(a: FileIdentity, b: FileIdentity): boolean {
  return a.ctimeNs === b.ctimeNs && a.mtimeNs === b.mtimeNs && a.size === b.size && a.ino === b.ino && a.dev === b.dev;
}

/** Second since 1970. */
export function changedAtOf({ ctimeNs }: FileIdentity): number {
  return Number(ctimeNs / 1_000_000_000n);
}

/** As one text, for keys. */
export function identityText({ dev, ino, size, mtimeNs, ctimeNs }: FileIdentity): string {
  return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
}
