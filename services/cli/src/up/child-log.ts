import { renameSync, statSync } from "node:fs";

const maxLogBytes = 16 * 2 ** 20;

/** Before a child starts: keeps its log bounded. The part before the last rotation stays as `<log>.1`. */
export function rotateLog(path: string): void {
  const present = statSync(path, { throwIfNoEntry: false });
  if (present && present.size > maxLogBytes) renameSync(path, `${path}.1`);
}
