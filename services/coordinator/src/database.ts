import { fileURLToPath } from "node:url";
import { sql } from "drizzle-orm";
import { readMigrationFiles } from "drizzle-orm/migrator";
import { drizzle, type NodePgDatabase, type NodePgQueryResultHKT } from "drizzle-orm/node-postgres";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import type { PgDatabase } from "drizzle-orm/pg-core";
import { Pool } from "pg";
import * as schema from "./schema.ts";

export type Database = NodePgDatabase<typeof schema>;

/** The database, or a transaction on it: what every store function takes. */
export type Queries = PgDatabase<NodePgQueryResultHKT, typeof schema>;

export type OpenDatabase = AsyncDisposable & { readonly db: Database };

const migrationsFolder = fileURLToPath(new URL("../drizzle", import.meta.url));
/** Any number that no other program uses for an advisory lock in the same database: "quor" in ASCII. */
const migrationLock = 0x71756f72;

/**
 * Connects, and brings the schema up to date. Two coordinators that start at once migrate one after the other.
 *
 * @throws Error when the database was written by a newer version
 */
export async function openDatabase(options: { url: string; onError: (error: Error) => void }): Promise<OpenDatabase> {
  try {
    const pool = openPool({ ...options, connections: (await migrateFirst(options)) ? 1 : 10 });
    return { db: drizzle(pool, { schema }), [Symbol.asyncDispose]: () => pool.end() };
  } catch (cause) {
    throw new Error(`opening the database: ${messageOf(cause)}; check DATABASE_URL and that PostgreSQL runs`, { cause });
  }
}

function openPool(options: { url: string; connections: number; onError: (error: Error) => void }): Pool {
  const pool = new Pool({
    connectionString: options.url,
    max: options.connections,
    connectionTimeoutMillis: 10_000,
    statement_timeout: 30_000,
    application_name: "quorate-coordinator",
  });
  return pool.on("error", options.onError);
}

/**
 * Migrates over a connection of its own.
 *
 * @returns whether the server is PGlite. That has one session for all connections and mixes up the statements of two that
 *   speak at once, so it must be spoken to over one connection only.
 */
async function migrateFirst(options: { url: string; onError: (error: Error) => void }): Promise<boolean> {
  const pool = openPool({ ...options, connections: 1 });
  try {
    await migrateUnderLock(pool);
    const { rows } = await pool.query<{ version: string }>("select version()");
    return /emcc|emscripten|wasm/i.test(rows[0]?.version ?? "");
  } finally {
    await pool.end();
  }
}

async function migrateUnderLock(pool: Pool): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query("select pg_advisory_lock($1)", [migrationLock]);
    const db = drizzle(client, { schema });
    await refuseNewer(db);
    await migrate(db, { migrationsFolder });
    await client.query("select pg_advisory_unlock($1)", [migrationLock]);
    client.release();
  } catch (error) {
    // Closing the connection lets go of the lock.
    client.release(true);
    throw error;
  }
}

async function refuseNewer(db: Database): Promise<void> {
  const known = readMigrationFiles({ migrationsFolder }).map((migration) => migration.folderMillis);
  const table = await db.execute<{ name: string | null }>(sql`select to_regclass('drizzle.__drizzle_migrations')::text as name`);
  if (!table.rows[0]?.name) return;
  const applied = await db.execute<{ at: string | null }>(sql`select max(created_at)::text as at from drizzle.__drizzle_migrations`);
  const newest = applied.rows[0]?.at;
  if (newest && Number(newest) > Math.max(...known)) {
    throw new Error(
      `the schema is of a newer version (migration ${newest}) than this program knows (${Math.max(...known)}): run that version, or restore a backup`,
    );
  }
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join("; ");
  return error instanceof Error ? error.message : String(error);
}
