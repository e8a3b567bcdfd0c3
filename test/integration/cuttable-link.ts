import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { Server, Socket } from "node:net";

/** A network path to a server of this machine that a test can cut and mend; its own address, `url`, stays. */
export class CuttableLink implements AsyncDisposable {
  readonly url: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #target: URL | undefined;

  private constructor(server: Server, port: number) {
    this.url = `http://127.0.0.1:${port}`;
    this.#server = server.on("connection", (near) => this.#join(near));
  }

  /** A link that leads nowhere yet. */
  static async open(): Promise<CuttableLink> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("opening a link: it has no port");
    return new CuttableLink(server, address.port);
  }

  /** From now on connections lead to the server at `url`. */
  lead(url: string): void {
    this.#target = new URL(url);
  }

  /** Ends every connection; new ones are closed at once. */
  cut(): void {
    this.#target = undefined;
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(near: Socket): void {
    if (this.#target === undefined) return void near.destroy();
    const far = connect(Number(this.#target.port), this.#target.hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from);
      from.once("close", () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      // A connection that breaks is closed, which says it all.
      from.on("error", () => undefined);
      from.pipe(to);
    }
  }
}
