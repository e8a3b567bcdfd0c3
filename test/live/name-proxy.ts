import { createServer, request } from "node:http";
import { once } from "node:events";

/** An HTTP proxy on loopback that knows every name: clients reach hostnames that no resolver has. Given one, a name goes to its own origin. */
export async function startNameProxy(
  origin: string,
  others: Readonly<Record<string, string>> = {},
): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((incoming, outgoing) => {
    const asked = new URL(incoming.url ?? "");
    const to = new URL(others[asked.hostname] ?? origin);
    const { method, headers } = incoming;
    const forwarded = request({ host: to.hostname, port: to.port, path: `${asked.pathname}${asked.search}`, method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    forwarded.on("error", () => outgoing.destroy());
    incoming.pipe(forwarded);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
