import { createServer, type Server, type Socket } from "node:net";
import type { PGlite } from "@electric-sql/pglite";

/** What of PGlite is spoken to: frontend messages in, backend messages out, of one session. */
export type PostgresSession = Pick<PGlite, "exec" | "execProtocolRawStream" | "isInTransaction" | "runExclusive">;

/** No statement of ours comes near this. */
const maxPendingBytes = 64 * 2 ** 20;

/**
 * Serves PGlite's one session to several connections on a Unix socket. A connection has the session from the first message of a query to
 * its Sync, and in a transaction until that ends: unnamed statements and portals of two connections would otherwise be mixed up. One that
 * breaks off is rolled back.
 */
export async function servePostgres(session: PostgresSession, path: string): Promise<AsyncDisposable> {
  const turns = createTurns();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    void serveConnection(socket, session, turns);
  });
  await listening(server, path);
  return {
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
      await turns.take();
    },
  };
}

async function serveConnection(socket: Socket, session: PostgresSession, turns: Turns): Promise<void> {
  let release: (() => void) | undefined;
  const run = (message: Uint8Array) =>
    session.runExclusive(() => session.execProtocolRawStream(message, { onRawData: (data) => void socket.write(Uint8Array.from(data)) }));
  try {
    for await (const messages of queriesOf(socket)) {
      release ??= await turns.take();
      for (const message of messages) await run(message);
      if (session.isInTransaction()) continue;
      release();
      release = undefined;
    }
  } catch {
    // The client is gone, or what it sent is not the protocol: it is no session of ours any more.
  } finally {
    socket.destroy();
    if (release && session.isInTransaction()) await session.exec("ROLLBACK").catch(() => undefined);
    release?.();
  }
}

/** Groups of messages that belong together: a startup, a simple query, or an extended query up to its Sync. */
async function* queriesOf(socket: Socket): AsyncGenerator<Uint8Array[]> {
  let pending: Buffer = Buffer.alloc(0);
  let isStarted = false;
  let query: Uint8Array[] = [];
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    if (pending.length > maxPendingBytes) throw new Error("a message is too large");
    for (let message = cut(pending, isStarted); message; message = cut(pending, isStarted)) {
      pending = pending.subarray(message.length);
      if (!isStarted) {
        const started = startup(message, socket);
        if (!started) continue;
        isStarted = true;
        yield [message];
        continue;
      }
      if (message[0] === code.terminate) return;
      query.push(message);
      if (message[0] !== code.sync && message[0] !== code.query) continue;
      yield query;
      query = [];
    }
  }
}

const code = { query: 0x51, sync: 0x53, terminate: 0x58 } as const;
const sslRequest = 80_877_103;
const gssRequest = 80_877_104;
const cancelRequest = 80_877_102;

/** The first whole message, if there is one. A startup message has a length only, all others a type before it. */
function cut(pending: Buffer, isStarted: boolean): Uint8Array | undefined {
  const head = isStarted ? 1 : 0;
  if (pending.length < head + 4) return undefined;
  const length = head + pending.readUInt32BE(head);
  if (length < head + 4 || length > maxPendingBytes) throw new Error("a message has no valid length");
  return pending.length < length ? undefined : Uint8Array.from(pending.subarray(0, length));
}

/** Whether it is the startup itself; encryption is declined, and a query cannot be cancelled. */
function startup(message: Uint8Array, socket: Socket): boolean {
  const request = message.length >= 8 ? Buffer.from(message).readUInt32BE(4) : 0;
  if (request === cancelRequest) throw new Error("a query cannot be cancelled");
  if (request !== sslRequest && request !== gssRequest) return true;
  socket.write("N");
  return false;
}

type Turns = { take(): Promise<() => void> };

/** The session goes from one to the next in the order of asking. */
function createTurns(): Turns {
  let last = Promise.resolve();
  return {
    async take() {
      const before = last;
      const { promise, resolve } = Promise.withResolvers<void>();
      last = promise;
      await before;
      return resolve;
    },
  };
}

async function listening(server: Server, path: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(path, resolve);
  await promise;
}
