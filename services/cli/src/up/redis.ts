import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { ChildSpecification } from "./child.ts";
import type { Layout } from "./layout.ts";
import { answersSocket, until } from "./readiness.ts";
import type { HostEnvironment } from "./host-environment.ts";

/** A private Redis on a Unix socket. It is transport: losing what it holds loses no fact. */
export function redisChild(layout: Layout, host: HostEnvironment): ChildSpecification & { url: string } {
  const directory = layout.directory("redis");
  const socket = join(layout.sockets, "redis.sock");
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const settings = {
    port: "0",
    unixsocket: socket,
    unixsocketperm: "700",
    dir: directory,
    daemonize: "no",
    // BullMQ's queues break when keys are evicted.
    "maxmemory-policy": "noeviction",
    save: "",
    appendonly: "yes",
    appendfsync: "everysec",
    loglevel: "notice",
  };
  return {
    name: "redis",
    command: "redis-server",
    arguments: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
    environment: host.variables,
    logPath: layout.log("redis"),
    ready: (signal) => until(() => answersSocket({ path: socket }, { say: "PING\r\n", expect: "+PONG" }), signal),
    stopSeconds: 5,
    url: socket,
  };
}
