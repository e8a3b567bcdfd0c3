import { readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

export const lockFileNames: readonly string[] = ["lock", "lock-journal", "lock-holder"];

/**
 * Takes a directory for this process alone, at most once in it. Node has no flock(2), so the lock is SQLite's own on an empty database: the
 * kernel lets go of it when the process ends in whatever way, so no lock is ever stale, and process ids (which containers share) play no part.
 * @throws Error that names the holder, when another opener has it
 */
export function lockDirectory(directory: string): Disposable {
  const database = new DatabaseSync(join(directory, "lock"), { timeout: 0 });
  if (!begins(database, directory)) {
    database.close();
    throw new Error(`opening ${directory}: it is in use by ${holderOf(directory)}; stop that process, or configure another directory`);
  }
  writeFileSync(join(directory, "lock-holder"), `process ${process.pid} on ${hostname()} since ${new Date().toISOString()}\n`, {
    mode: 0o600,
  });
  return { [Symbol.dispose]: () => database.close() };
}

/** False when another opener has it. @throws Error when it cannot be locked at all, as on a file system without locks */
function begins(database: DatabaseSync, directory: string): boolean {
  try {
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    return true;
  } catch (error) {
    if (error instanceof Error && "errcode" in error && error.errcode === sqliteBusy) return false;
    database.close();
    throw new Error(`locking ${directory}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

const sqliteBusy = 5;

function holderOf(directory: string): string {
  try {
    return readFileSync(join(directory, "lock-holder"), "utf8").trim().slice(0, 200);
  } catch {
    return "another process";
  }
}
