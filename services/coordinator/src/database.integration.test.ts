import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { sha256Of } from "@quorate/protocol/digest";
import { utf8 } from "@quorate/protocol/utf8";
import { sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import { Pool } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDatabase } from "./database.ts";
import { type Server, startPostgres } from "./servers.fixture.ts";
import { findApiToken } from "./store/api-tokens.ts";

let postgres: Server<{ url: string }>;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres[Symbol.asyncDispose]());

const open = () =>
  openDatabase({
    url: postgres.url,
    onError: (error) => {
      throw error;
    },
  });

test("two that start at once both find the schema in place", async () => {
  await using first = await open();
  await using second = await open();
  for (const { db } of [first, second]) {
    const { rows } = await db.execute(sql`select count(*)::int as rounds from rounds`);
    expect(rows).toEqual([{ rounds: 0 }]);
  }
});

test("tokens and submissions of before tokens had scopes are a project's, and open what they did", async () => {
  await using older = await startPostgres();
  const migrationsFolder = await migrationsUntil("0006_console");
  {
    await using pool = connect(1, older.url);
    await migrate(drizzle(pool), { migrationsFolder });
    const hash = sha256Of(utf8("an old token"));
    await pool.query("insert into api_tokens (hash, project, created_at) values ($1, 'first', now())", [hash]);
    await pool.query("insert into submissions (id, request, token, submitted_at) values ('s', '{}', $1, now())", [hash]);
  }
  await rm(migrationsFolder, { recursive: true });
  await using database = await openDatabase({ url: older.url, onError: () => undefined });
  const token = await findApiToken(database.db, "an old token", new Date());
  expect(token).toMatchObject({ project: "first", scopes: ["submit", "read", "webhooks"], expiresAt: undefined });
  const { rows } = await database.db.execute(sql`select id, project, token from submissions`);
  expect(rows).toEqual([{ id: "s", project: "first", token: token?.id }]);
});

test("a database that a newer version wrote is refused, and says what to do", async () => {
  {
    await using database = await open();
    await database.db.execute(sql`insert into drizzle.__drizzle_migrations (hash, created_at) values ('newer', 99999999999999)`);
  }
  await expect(open()).rejects.toThrow(/newer version .* run that version, or restore a backup/);
});

test("a database that is not there is named by the setting that is wrong", async () => {
  const opening = openDatabase({ url: "postgres://nobody@127.0.0.1:1/none", onError: () => undefined });
  await expect(opening).rejects.toThrow(/DATABASE_URL/);
});

test("queries that several connections send at once are answered each with its own rows", async () => {
  await using pool = connect(5);
  const answers = Array.from(
    { length: 200 },
    async (_, number) => (await pool.query<{ n: number }>("select $1::int as n", [number])).rows[0]?.n,
  );
  expect(await Promise.all(answers)).toEqual(Array.from({ length: 200 }, (_, number) => number));
});

test("a connection that breaks off in a transaction is rolled back and holds nobody up", async () => {
  await using pool = connect(2);
  await pool.query("create table broken (n int)");
  const broken = await pool.connect();
  broken.on("error", () => undefined);
  await broken.query("begin");
  await broken.query("insert into broken values ($1)", [1]);
  broken.release(new Error("broken off"));
  expect((await pool.query("select * from broken")).rows).toEqual([]);
});

function connect(max: number, url = postgres.url) {
  const pool = new Pool({ connectionString: url, max });
  return Object.assign(pool, { [Symbol.asyncDispose]: () => pool.end() });
}

/** A copy of the migrations as they were when this one was the last. */
async function migrationsUntil(last: string): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), "quorate-migrations-"));
  await cp(fileURLToPath(new URL("../drizzle", import.meta.url)), copy, { recursive: true });
  const journalFile = join(copy, "meta/_journal.json");
  const journal: { entries: { tag: string }[] } = JSON.parse(await readFile(journalFile, "utf8"));
  const count = journal.entries.findIndex(({ tag }) => tag === last) + 1;
  await writeFile(journalFile, JSON.stringify({ ...journal, entries: journal.entries.slice(0, count) }));
  return copy;
}
