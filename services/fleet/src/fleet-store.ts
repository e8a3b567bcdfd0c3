import type { DatabaseSync } from "node:sqlite";
import { type RuntimeStatement, parseRuntime } from "@quorate/attestation/runtime-statement";
import { type Sha256, parseSha256 } from "@quorate/protocol/digest";
import type { HostId } from "@quorate/protocol/host";
import type { ReportPlace } from "@quorate/protocol/report-place";
import { openDurableDatabase } from "@quorate/service/durable-database";
import { type Period, saidIn } from "./host-history.ts";

/** The newest report of a host, and when it came. */
export type NewestReport = { readonly statement: RuntimeStatement; readonly receivedAt: number };

export type AcceptedReport = {
  readonly statement: RuntimeStatement;
  readonly digest: Sha256;
  readonly bytes: Uint8Array;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
  readonly nextNonce: string;
};

/** Periods that are kept of a host: one that says something else every minute fills no disk. */
const maxPeriods = 200;

const schema = `
  CREATE TABLE IF NOT EXISTS host (
    id TEXT PRIMARY KEY, sequence INTEGER NOT NULL, nonce TEXT NOT NULL, previous TEXT, report BLOB, received_at INTEGER
  ) STRICT;
  CREATE TABLE IF NOT EXISTS period (
    host TEXT NOT NULL, sequence INTEGER NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL, reports INTEGER NOT NULL, said TEXT NOT NULL,
    report BLOB NOT NULL, PRIMARY KEY (host, sequence)
  ) STRICT;
`;

/** The newest report of each host, what the next one must hold, and its periods. Durable before a host hears that its report was accepted. */
export class FleetStore implements Disposable {
  readonly #database: DatabaseSync;
  readonly #silenceMilliseconds: number;
  readonly #statements;

  /** @param silenceSeconds after which a report begins another period, whatever it says */
  constructor(path: string, silenceSeconds: number) {
    this.#silenceMilliseconds = silenceSeconds * 1000;
    this.#database = openDurableDatabase(path, schema);
    this.#statements = {
      find: this.#database.prepare("SELECT sequence, nonce, previous, report, received_at FROM host WHERE id = ?"),
      insert: this.#database.prepare("INSERT INTO host (id, sequence, nonce) VALUES (?, 1, ?) ON CONFLICT (id) DO NOTHING"),
      update: this.#database.prepare(
        "UPDATE host SET sequence = sequence + 1, nonce = ?, previous = ?, report = ?, received_at = ? WHERE id = ? AND sequence = ?",
      ),
      extend: this.#database.prepare(
        `UPDATE period SET until = ?, reports = reports + 1 WHERE host = ? AND said = ? AND until >= ?
         AND sequence = (SELECT MAX(newest.sequence) FROM period AS newest WHERE newest.host = period.host)`,
      ),
      begin: this.#database.prepare(
        "INSERT INTO period (host, sequence, since, until, reports, said, report) VALUES (?, ?, ?, ?, 1, ?, ?)",
      ),
      forget: this.#database.prepare(
        `DELETE FROM period WHERE host = ?1 AND sequence <=
         (SELECT sequence FROM period WHERE host = ?1 ORDER BY sequence DESC LIMIT 1 OFFSET ${maxPeriods})`,
      ),
      periods: this.#database.prepare("SELECT since, until, reports, report FROM period WHERE host = ? ORDER BY sequence DESC"),
    };
  }

  /**
   * What the next report of a host must hold: nobody can have made it before the last one was accepted.
   *
   * @param nonce for a host that was never heard of
   */
  challenge(id: HostId, nonce: string): ReportPlace {
    this.#statements.insert.run(id, nonce);
    const row = this.#statements.find.get(id);
    const previous = row?.["previous"];
    return {
      sequence: Number(row?.["sequence"]),
      nonce: String(row?.["nonce"]),
      ...(typeof previous === "string" ? { previous: parseSha256(previous) } : {}),
    };
  }

  /** Replaces the newest report, and adds it to the host's history; false when another one of this sequence came first. */
  accept(id: HostId, report: AcceptedReport): boolean {
    const { statement, digest, bytes, receivedAt, nextNonce } = report;
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const isNext = this.#statements.update.run(nextNonce, digest, bytes, receivedAt, id, statement.runtime.sequence).changes === 1;
      if (isNext) this.#addToHistory(id, report);
      this.#database.exec("COMMIT");
      return isNext;
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  #addToHistory(id: HostId, { statement: { runtime }, bytes, receivedAt }: AcceptedReport): void {
    const said = saidIn(runtime);
    if (this.#statements.extend.run(receivedAt, id, said, receivedAt - this.#silenceMilliseconds).changes === 1) return;
    this.#statements.begin.run(id, runtime.sequence, receivedAt, receivedAt, said, bytes);
    this.#statements.forget.run(id);
  }

  newest(id: HostId): NewestReport | undefined {
    const row = this.#statements.find.get(id);
    const report = row?.["report"];
    if (!(report instanceof Uint8Array)) return undefined;
    return { statement: parseRuntime(report).statement, receivedAt: Number(row?.["received_at"]) };
  }

  /** Newest first. */
  periods(id: HostId): readonly Period[] {
    return this.#statements.periods.all(id).flatMap((row) => {
      const { report } = row;
      if (!(report instanceof Uint8Array)) return [];
      return [
        {
          since: Number(row["since"]),
          until: Number(row["until"]),
          reports: Number(row["reports"]),
          report: parseRuntime(report).statement.runtime,
        },
      ];
    });
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}
