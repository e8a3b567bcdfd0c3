import { setTimeout as sleep } from "node:timers/promises";
import { hashFrom } from "@quorate/tlog/hash";
import pg from "pg";
import type { Head, KeyedEntry, LockStore, Swap } from "./lock-store.ts";

export type PostgresOptions = {
  readonly url: string;
  /** Called when the session has ended, and its lease with it: another process may have that. */
  readonly onLost: (error: Error) => void;
};

export type LeaseWait = {
  /** Called once if another process has the lease. */
  readonly onStandBy: () => void;
  readonly signal?: AbortSignal | undefined;
};

/** Names of this log's lease, and of the moment in which tables are made, among the advisory locks of its database. */
const leaseNumber = 7_106_241;
const schemaNumber = 7_106_242;
const leaseRetryMilliseconds = 500;

/**
 * A commit is on the server's disk, and a stand-by has the lease within half a minute of the machine of this session being gone without a word:
 * until the server notices, it keeps the session.
 */
const sessionSettings = `
  SET synchronous_commit = on;
  SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3;
`;

const deadlines = { connectionTimeoutMillis: 10_000, query_timeout: 10_000, statement_timeout: 10_000 };

const schema = `
  SELECT pg_advisory_xact_lock(${schemaNumber});
  CREATE TABLE IF NOT EXISTS log_head (
    id integer PRIMARY KEY CHECK (id = 1), size bigint NOT NULL, note text NOT NULL, signed_at bigint NOT NULL
  );
  CREATE TABLE IF NOT EXISTS log_entry (key text COLLATE "C" PRIMARY KEY, position bigint NOT NULL, leaf_hash bytea NOT NULL);
  CREATE TABLE IF NOT EXISTS log_published (id integer PRIMARY KEY CHECK (id = 1), size bigint NOT NULL, note text NOT NULL);
`;

/** One statement, so one transaction, and one round trip. A rival's update of the row is waited for, and then there is nothing to swap. */
const swapStatement = `
  WITH swapped AS (UPDATE log_head SET size = $1, note = $2, signed_at = $3 WHERE size = $4 AND note = $5 RETURNING id),
  added AS (
    INSERT INTO log_entry SELECT added.key, added.position, added.leaf_hash
    FROM swapped, unnest($6::text[], $7::bigint[], $8::bytea[]) AS added (key, position, leaf_hash)
  )
  SELECT id FROM swapped
`;

const publishStatement = `
  INSERT INTO log_published VALUES (1, $1, $2) ON CONFLICT (id) DO UPDATE SET size = excluded.size, note = excluded.note
  WHERE log_published.size <= excluded.size RETURNING id
`;

/**
 * The lock store in a PostgreSQL database of its own, for processes on several machines. All that changes it goes through the one session that
 * has the lease (an advisory lock, which goes with its session), so that a process that has lost the lease writes nothing; should two believe
 * that they have it, the swap decides.
 */
export class PostgresLockStore implements LockStore, AsyncDisposable {
  readonly #session: pg.Client;
  readonly #lookups: pg.Pool;
  #closing = false;
  #gathering: { readonly keys: string[]; readonly found: Promise<ReadonlyMap<string, KeyedEntry>> } | undefined;
  #lastLookup: Promise<unknown> = Promise.resolve();

  private constructor({ url, onLost }: PostgresOptions) {
    const connection = { connectionString: url, application_name: "quorate-log", keepAlive: true, ...deadlines };
    this.#session = new pg.Client(connection);
    const lost = (cause?: Error) => {
      if (!this.#closing) onLost(new Error("the session with PostgreSQL that holds the log's lease has ended", { cause }));
      this.#closing = true;
    };
    this.#session.on("error", lost);
    this.#session.on("end", lost);
    this.#lookups = new pg.Pool({ ...connection, max: 1 });
    // A connection that broke while idle is made anew by the next lookup.
    this.#lookups.on("error", () => undefined);
  }

  static async open(options: PostgresOptions): Promise<PostgresLockStore> {
    const store = new PostgresLockStore(options);
    try {
      await store.#session.connect();
      await store.#session.query(sessionSettings);
      await store.#session.query(schema);
      return store;
    } catch (cause) {
      await store[Symbol.asyncDispose]();
      throw new Error("opening the log's lock store; check LOG_DATABASE_URL and that PostgreSQL runs", { cause });
    }
  }

  /** Resolves when this process has the lease; it goes with the session. */
  async acquireLease({ onStandBy, signal }: LeaseWait): Promise<void> {
    const attempt = async () => (await this.#rows("SELECT pg_try_advisory_lock($1) AS acquired", [leaseNumber]))[0]?.["acquired"] === true;
    if (await attempt()) return;
    onStandBy();
    do await sleep(leaseRetryMilliseconds, undefined, { signal });
    while (!(await attempt()));
  }

  async head(): Promise<Head | undefined> {
    const [row] = await this.#rows("SELECT size, note, signed_at FROM log_head", []);
    return row === undefined ? undefined : { size: Number(row["size"]), note: String(row["note"]), signedAt: Number(row["signed_at"]) };
  }

  async create({ size, note, signedAt }: Head): Promise<void> {
    await this.#rows("INSERT INTO log_head VALUES (1, $1, $2, $3)", [size, note, signedAt]);
  }

  /** Those who ask while a lookup is under way share the next one. */
  async find(key: string): Promise<KeyedEntry | undefined> {
    this.#gathering ??= this.#gather();
    this.#gathering.keys.push(key);
    return (await this.#gathering.found).get(key);
  }

  async swap({ from, to, entries }: Swap): Promise<void> {
    const swapped = await this.#rows(swapStatement, [
      to.size,
      to.note,
      to.signedAt,
      from.size,
      from.note,
      entries.map(({ key }) => key),
      entries.map(({ index }) => index),
      entries.map(({ leafHash }) => Buffer.from(leafHash)),
    ]);
    if (swapped.length !== 1) {
      throw new Error(`swapping the checkpoint of size ${from.size} for ${to.size}: another process has swapped it`);
    }
  }

  /** The newest checkpoint that was released, with its cosignatures. */
  async published(): Promise<string | undefined> {
    const [row] = await this.#rows("SELECT note FROM log_published", []);
    return row === undefined ? undefined : String(row["note"]);
  }

  /** Records a checkpoint before it is released, unless a larger one was: what is released never shrinks. */
  async publish(size: number, note: string): Promise<void> {
    const rows = await this.#rows(publishStatement, [size, note]);
    if (rows.length !== 1) throw new Error(`publishing the checkpoint of size ${size}: another process has published a larger one`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    await Promise.all([this.#session.end(), this.#lookups.end()]);
  }

  #gather() {
    const keys: string[] = [];
    const found = this.#lastLookup.then(() => {
      this.#gathering = undefined;
      return this.#findAll(keys);
    });
    this.#lastLookup = found.catch(() => undefined);
    return { keys, found };
  }

  async #findAll(keys: readonly string[]): Promise<ReadonlyMap<string, KeyedEntry>> {
    const statement = "SELECT key, position, leaf_hash FROM log_entry WHERE key = ANY ($1::text[])";
    const { rows } = await this.#lookups.query<{ key: string; position: string; leaf_hash: Uint8Array }>(statement, [keys]);
    return new Map(
      rows.map((row) => [row.key, { key: row.key, index: Number(row.position), leafHash: hashFrom(Uint8Array.from(row.leaf_hash)) }]),
    );
  }

  async #rows(statement: string, values: unknown[]): Promise<Record<string, unknown>[]> {
    const { rows } = await this.#session.query<Record<string, unknown>>(statement, values);
    return rows;
  }
}
