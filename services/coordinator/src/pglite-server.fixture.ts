/**
 * PostgreSQL for tests, as a program of its own: PGlite in memory behind the Unix socket `<directory>/.s.PGSQL.5432`.
 * Says "ready" on standard output, and ends when its standard input does.
 */
import { PGlite } from "@electric-sql/pglite";
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";

const directory = process.argv[2];
if (!directory) throw new Error("usage: pglite-server.fixture.ts <directory>");
const server = new PGLiteSocketServer({ db: await PGlite.create(), path: `${directory}/.s.PGSQL.5432`, maxConnections: 50 });
await server.start();
console.log("ready");
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
