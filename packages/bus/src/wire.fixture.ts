import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";

/** A way to a server that can be cut: what went over it is closed, and nobody gets through until it is mended. */
export type Wire = AsyncDisposable & { readonly url: string; cut(): Promise<void>; mend(): Promise<void> };

export async function startWire(to: string): Promise<Wire> {
  const { hostname, port } = new URL(to);
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => undefined).on("close", () => (near.destroy(), far.destroy(), sockets.delete(socket)));
    }
    near.pipe(far).pipe(near);
  });
  const listen = async (at: number): Promise<void> => void (server.listen(at, "127.0.0.1"), await once(server, "listening"));
  await listen(0);
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("starting a wire: it has no port");
  const cut = async (): Promise<void> => {
    if (!server.listening) return;
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, "close");
  };
  return { url: `nats://127.0.0.1:${address.port}`, cut, mend: () => listen(address.port), [Symbol.asyncDispose]: cut };
}
