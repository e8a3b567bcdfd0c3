import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { Socket } from "node:net";

/** A network path to a server of this machine that a test can cut and mend: `url` leads to where `target` does. */
export class CuttableLink implements AsyncDisposable {
  readonly url: string;
  readonly #server;
  readonly #sockets: Set<Socket>;
  #cut = false;

  private constructor(url: string, parts: { server: ReturnType<typeof createServer>; sockets: Set<Socket> }) {
    this.url = url;
    this.#server = parts.server;
    this.#sockets = parts.sockets;
    this.#server.on("connection", (socket) => {
      if (this.#cut) socket.destroy();
    });
  }

  static async open(target: string): Promise<CuttableLink> {
    const { hostname, port } = new URL(target);
    const sockets = new Set<Socket>();
    const server = createServer((near) => {
      const far = connect(Number(port), hostname);
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(from);
        from.once("close", () => {
          sockets.delete(from);
          to.destroy();
        });
        // A connection that breaks is closed, which says it all.
        from.on("error", () => undefined);
        from.pipe(to);
      }
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("opening a link: it has no port");
    return new CuttableLink(`http://127.0.0.1:${address.port}`, { server, sockets });
  }

  /** Ends every connection; new ones are closed at once. */
  cut(): void {
    this.#cut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#cut = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }
}
