import { createServer } from "node:net";

export class PortInUseError extends Error {
  constructor(port: number) {
    super(
      `listening on port ${port}: another process uses it; stop that process, or choose another port with --port (the data directory remembers it)`,
    );
    this.name = "PortInUseError";
  }
}

/** A free loopback port, outside those in `taken`. */
export async function choosePort(taken: ReadonlySet<number>): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const port = await tryListen(0);
    if (port !== undefined && !taken.has(port)) return port;
  }
  throw new Error("choosing a loopback port: none is free");
}

export async function isPortFree(port: number): Promise<boolean> {
  return (await tryListen(port)) !== undefined;
}

function tryListen(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen({ port, host: "127.0.0.1" }, () => {
      const address = server.address();
      server.close(() => resolve(address !== null && typeof address === "object" ? address.port : undefined));
    });
  });
}
