import type { DatabaseSync } from "node:sqlite";
import { type RuntimeStatement, parseRuntime } from "@quorate/attestation/runtime-statement";
import { type Sha256, parseSha256 } from "@quorate/protocol/digest";
import type { HostId } from "@quorate/protocol/host";
import type { ReportPlace } from "@quorate/protocol/report-place";
import { openDurableDatabase } from "@quorate/service/durable-database";

/** The newest report of a host, and when it came. */
export type NewestReport = { readonly statement: RuntimeStatement; readonly receivedAt: number };

const schema = `
  CREATE TABLE IF NOT EXISTS host (
    id TEXT PRIMARY KEY, sequence INTEGER NOT NULL, nonce TEXT NOT NULL, previous TEXT, report BLOB, received_at INTEGER
  ) STRICT;
`;

/** The newest report of each host, and what the next one must hold. Durable before a host hears that its report was accepted. */
export class FleetStore implements Disposable {
  readonly #database: DatabaseSync;
  readonly #statements;

  constructor(path: string) {
    this.#database = openDurableDatabase(path, schema);
    this.#statements = {
      find: this.#database.prepare("SELECT sequence, nonce, previous, report, received_at FROM host WHERE id = ?"),
      insert: this.#database.prepare("INSERT INTO host (id, sequence, nonce) VALUES (?, 1, ?) ON CONFLICT (id) DO NOTHING"),
      update: this.#database.prepare(
        "UPDATE host SET sequence = sequence + 1, nonce = ?, previous = ?, report = ?, received_at = ? WHERE id = ? AND sequence = ?",
      ),
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

  /** Replaces the newest report; false when another one of this sequence came first. */
  accept(id: HostId, report: { sequence: number; digest: Sha256; bytes: Uint8Array; receivedAt: number; nextNonce: string }): boolean {
    const { sequence, digest, bytes, receivedAt, nextNonce } = report;
    return this.#statements.update.run(nextNonce, digest, bytes, receivedAt, id, sequence).changes === 1;
  }

  newest(id: HostId): NewestReport | undefined {
    const row = this.#statements.find.get(id);
    const report = row?.["report"];
    if (!(report instanceof Uint8Array)) return undefined;
    return { statement: parseRuntime(report).statement, receivedAt: Number(row?.["received_at"]) };
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}
