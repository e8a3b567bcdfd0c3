import { rmSync } from "node:fs";
import { PGlite } from "@electric-sql/pglite";
import { parseConfig } from "@quorate/service/config";
import { runService } from "@quorate/service/run";
import { z } from "zod";
import { servePostgres } from "./postgres-socket.ts";

const configSchema = z.object({
  /** Directory of the database. Whoever starts this holds a lock on it: PGlite itself lets two openers in. */
  DATABASE_DIR: z.string().min(1),
  /** Path of the PostgreSQL socket: `<directory>/.s.PGSQL.5432`. */
  DATABASE_SOCKET: z.string().min(1),
});

/** The embedded PostgreSQL, in a process of its own: queries block the event loop that it runs on. */
await runService("database", async ({ env }) => {
  const config = parseConfig(configSchema, env);
  // Of a run that was killed; nobody else listens there, since whoever started this holds the data directory's lock.
  rmSync(config.DATABASE_SOCKET, { force: true });
  const db = await PGlite.create({ dataDir: config.DATABASE_DIR });
  const server = await servePostgres(db, config.DATABASE_SOCKET);
  return {
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await db.close();
    },
  };
});
