import { sql } from "drizzle-orm";
import { Pool } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDatabase } from "./database.ts";
import { type Server, startPostgres } from "./servers.fixture.ts";

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

function connect(max: number) {
  const pool = new Pool({ connectionString: postgres.url, max });
  return Object.assign(pool, { [Symbol.asyncDispose]: () => pool.end() });
}
