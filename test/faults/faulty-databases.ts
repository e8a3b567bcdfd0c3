import { existsSync, statSync } from "node:fs";
import { basename } from "node:path";
import { DatabaseSync, StatementSync } from "node:sqlite";
import { arrive, die } from "./fault-injection.ts";

const { exec, prepare } = DatabaseSync.prototype;
const { run } = StatementSync.prototype;
const databaseOf = new WeakMap<StatementSync, DatabaseSync>();

Object.assign(DatabaseSync.prototype, {
  exec(this: DatabaseSync, sql: string) {
    const commits = sql === "COMMIT" || (!this.isTransaction && !sql.startsWith("BEGIN"));
    return commits ? commit(this, () => exec.call(this, sql)) : exec.call(this, sql);
  },
  prepare(this: DatabaseSync, sql: string) {
    const statement = prepare.call(this, sql);
    databaseOf.set(statement, this);
    return statement;
  },
});
Object.assign(StatementSync.prototype, {
  run(this: StatementSync, ...values: Parameters<typeof run>) {
    const database = databaseOf.get(this);
    const act = () => run.apply(this, values);
    return database === undefined || database.isTransaction ? act() : commit(database, act);
  },
});

/** A commit, or what the fault makes of it. */
function commit<Result>(database: DatabaseSync, act: () => Result): Result {
  const path = database.location() ?? "";
  // The database that locks a directory is never written.
  if (basename(path) === "lock") return act();
  const walPath = `${path}-wal`;
  const lengthBytes = existsSync(walPath) ? statSync(walPath).size : 0;
  switch (arrive("commit", path)) {
    case "kill":
    case "power-lost":
      return die();
    case "power-torn":
      act();
      return die({ walPath, lengthBytes });
    case "io-error":
      // SQLite may have rolled back by itself when a commit fails, or not.
      if (database.isTransaction) exec.call(database, "ROLLBACK");
      throw sqliteError("disk I/O error", 10);
    case "late-io-error":
      act();
      throw sqliteError("disk I/O error", 10);
    case "no-space":
      throw sqliteError("database or disk is full", 13);
    default:
      return act();
  }
}

function sqliteError(message: string, errcode: number): Error {
  return Object.assign(new Error(message), { code: "ERR_SQLITE_ERROR", errcode, errstr: message });
}
