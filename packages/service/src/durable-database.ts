import { DatabaseSync } from "node:sqlite";

/** How long to wait for another process that writes; more than a commit takes, less than a request may. */
const busyMilliseconds = 1_000;

/** Opens an SQLite database in which a committed transaction survives a power failure, and makes the tables that it lacks. */
export function openDurableDatabase(path: string, schema: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: busyMilliseconds });
  try {
    database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; ${schema}`);
  } catch (error) {
    database.close();
    throw new Error(`opening the database ${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  return database;
}
