import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Authority } from "./authority.ts";
import { endsWithThis } from "./ends-with-this.fixture.ts";
import { createServerDirectory } from "./server-directory.ts";

/** A nats-server that is a child of this process. */
export type NatsServer = AsyncDisposable & {
  readonly url: string;
  /** Empty for a server without WebSockets. */
  readonly webSocketUrl: string;
  /** The lines of its log, up to a bound; the newest last. */
  readonly said: readonly string[];
};

const maxLinesSaid = 10_000;

const program = "nats-server";
const startSeconds = 20;

/** Starts a private nats-server with its state below `directory`, and waits until it takes connections. */
export async function startNatsServer(options: {
  authority: Authority;
  directory: string;
  /** Default -1: any free port. */
  port?: number;
  tls?: { certificateFile: string; keyFile: string };
  webSockets?: boolean;
}): Promise<NatsServer> {
  const { authority, directory, tls, webSockets } = options;
  const configFile = await createServerDirectory({
    authority,
    host: "127.0.0.1",
    port: options.port ?? -1,
    directory,
    ...(tls && { tls }),
    ...(webSockets && { webSocketPort: -1 }),
  });
  // Debian installs the server in /usr/sbin, which is not on an ordinary user's PATH.
  const env = { ...process.env, PATH: `${process.env["PATH"] ?? ""}:/usr/local/sbin:/usr/sbin` };
  const child = spawn("setpriv", [...endsWithThis, program, "-c", configFile], { env, stdio: ["ignore", "ignore", "pipe"] });
  const exited = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  const said: string[] = [];
  const { port, webSocketUrl } = await portOf(child, { said, exited });
  return {
    url: `${tls ? "tls" : "nats"}://127.0.0.1:${port}`,
    webSocketUrl,
    said,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGTERM");
      await exited;
    },
  };
}

/** The server says on standard error where it listens, then that it is ready. */
async function portOf(
  child: ChildProcess,
  { said, exited }: { said: string[]; exited: Promise<void> },
): Promise<{ port: number; webSocketUrl: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ port: number; webSocketUrl: string }>();
  const fail = (what: string): void => reject(new Error(`starting nats-server: ${what}; it said: ${said.slice(-5).join(" | ")}`));
  let port = 0;
  let webSocketUrl = "";
  if (child.stderr)
    createInterface({ input: child.stderr }).on("line", (line) => {
      if (said.push(line) > maxLinesSaid) said.shift();
      port = Number(/Listening for client connections on \S+:(\d+)$/.exec(line)?.[1] ?? port);
      webSocketUrl = /Listening for websocket clients on (wss?:\/\/\S+)$/.exec(line)?.[1] ?? webSocketUrl;
      if (line.endsWith("Server is ready")) resolve({ port, webSocketUrl });
    });
  child.once("error", (error) => fail(error.message));
  void exited.then(() => fail("it ended"));
  const timer = setTimeout(() => {
    child.kill("SIGKILL");
    fail(`not ready after ${startSeconds} seconds`);
  }, startSeconds * 1000);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}
