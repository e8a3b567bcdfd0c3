/**
 * PostgreSQL for tests, as a program of its own: PGlite in memory behind the Unix socket `<directory>/.s.PGSQL.5432`.
 * Says "ready" on standard output, and ends when its standard input does.
 */
import { PGlite } from "@electric-sql/pglite";
import { servePostgres } from "../../cli/src/up/postgres-socket.ts";

const directory = process.argv[2];
if (!directory) throw new Error("usage: pglite-server.fixture.ts <directory>");
await servePostgres(await PGlite.create(), `${directory}/.s.PGSQL.5432`);
console.log("ready");
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
