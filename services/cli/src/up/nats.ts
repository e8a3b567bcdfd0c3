import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { loadAuthority } from "@quorate/bus/authority";
import { formatServerConfig } from "@quorate/bus/server-config";
import { writeDurableFile } from "@quorate/service/durable-file";
import type { ChildSpecification } from "./child.ts";
import type { HostEnvironment } from "./host-environment.ts";
import type { Layout } from "./layout.ts";
import { answersSocket, until } from "./readiness.ts";

/** A private NATS server, on a loopback port or on all interfaces. It is transport: losing what it holds loses no fact. */
export async function natsChild(
  layout: Layout,
  host: HostEnvironment,
  { port, isPublic }: { port: number; isPublic: boolean },
): Promise<ChildSpecification & { url: string }> {
  const directory = layout.directory("nats");
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const configPath = join(directory, "nats-server.conf");
  const authority = await loadAuthority(layout.natsAuthority);
  await writeDurableFile(configPath, formatServerConfig({ authority, host: isPublic ? "0.0.0.0" : "127.0.0.1", port, directory }), {
    mode: 0o600,
  });
  return {
    name: "nats",
    command: "nats-server",
    arguments: ["-c", configPath],
    environment: host.variables,
    logPath: layout.log("nats"),
    ready: (signal) => until(() => answersSocket({ host: "127.0.0.1", port }, { say: "", expect: "INFO " }), signal),
    stopSeconds: 5,
    url: `nats://127.0.0.1:${port}`,
  };
}
