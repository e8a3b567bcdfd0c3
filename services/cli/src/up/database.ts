import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { ChildSpecification } from "./child.ts";
import type { HostEnvironment } from "./host-environment.ts";
import type { Layout } from "./layout.ts";
import { answersSocket, until } from "./readiness.ts";

/** The embedded PostgreSQL, reached as any other through a Unix socket. */
export function databaseChild(layout: Layout, host: HostEnvironment): ChildSpecification & { url: string } {
  const directory = layout.directory("database");
  const socket = join(layout.sockets, ".s.PGSQL.5432");
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return {
    name: "database",
    command: process.execPath,
    arguments: [join(import.meta.dirname, "database-main.ts")],
    environment: { ...host.variables, DATABASE_DIR: directory, DATABASE_SOCKET: socket },
    logPath: layout.log("database"),
    ready: (signal) => until(() => answersSocket({ path: socket }), signal),
    stopSeconds: 10,
    url: `postgresql:///postgres?host=${encodeURIComponent(layout.sockets)}&user=postgres`,
  };
}
