import { loadAuthority } from "@quorate/bus/authority";
import { createServerDirectory } from "@quorate/bus/server-directory";
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
  const authority = await loadAuthority(layout.natsAuthority);
  const directory = layout.directory("nats");
  const configPath = await createServerDirectory({ authority, host: isPublic ? "0.0.0.0" : "127.0.0.1", port, directory });
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
