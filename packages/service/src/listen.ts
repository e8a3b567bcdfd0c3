import type { FastifyInstance } from "fastify";

/** The part of an HTTP app that listening needs; any Fastify instance fits, whatever its type provider. */
type Listener = Pick<FastifyInstance, "server"> & { listen(options: { host: string; port: number }): Promise<string> };

/**
 * Starts to listen and returns the base URL, without a slash at its end (`http://127.0.0.1:8080`). Port 0 takes a free port.
 * @throws Error that says which address could not be had, why, and what to do
 */
export async function listen(app: Listener, address: { host: string; port: number }): Promise<string> {
  try {
    await app.listen(address);
  } catch (error) {
    throw new Error(`listening on ${address.host}:${address.port}: ${reason(error)}`, { cause: error });
  }
  const bound = app.server.address();
  if (bound === null || typeof bound === "string")
    throw new Error(`listening on ${address.host}:${address.port}: no TCP address was bound`);
  return `http://${reachableHost(address.host)}:${bound.port}`;
}

/** A wildcard address is where a server listens, not where a client can connect. */
function reachableHost(host: string): string {
  if (host === "0.0.0.0" || host === "") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}

function reason(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  switch (code) {
    case "EADDRINUSE":
      return "another process holds this port; stop it or configure another port";
    case "EACCES":
      return "this user may not listen there; take a port above 1023";
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return "this machine has no such address; configure one that it has";
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
