import { performance } from "node:perf_hooks";
import { connect, ErrorCode, Events, jwtAuthenticator, type NatsConnection, NatsError } from "nats";
import { connect as connectWebSocket } from "nats.ws";
import { backoffMilliseconds, pause } from "./backoff.ts";
import { utf8 } from "@quorate/protocol/utf8";

/** How long a request to JetStream waits for its answer; all are repeated or idempotent. */
export const requestMilliseconds = 5_000;

/** What a bus tells its owner, for logs and metrics. Every function is optional; none may throw. */
export type ConnectionEvents = {
  disconnected?(): void;
  reconnected?(): void;
  /** A first connection attempt failed; the next follows after the pause. */
  connectFailed?(error: Error, pauseMilliseconds: number): void;
  /** The server refuses the credentials, or has ended their connection: they have expired or were revoked. */
  credentialsRefused?(): void;
  /** The server refused something, such as a subject that the credentials do not cover. */
  serverError?(error: string): void;
};

export type ConnectOptions = {
  /** Tried in this order, over and over, until one answers: `nats:` and `tls:` directly, `ws:` and `wss:` as a WebSocket. */
  urls: readonly string[];
  /** Asked again at each reconnection, so that renewed credentials are used. */
  jwt: () => string;
  seed: string;
  name: string;
  inboxPrefix?: string;
  events: ConnectionEvents;
  signal?: AbortSignal | undefined;
};

/**
 * Connects, however long the server takes to come up, and stays connected for ever.
 *
 * @throws Error at once when the server refuses the credentials; the signal's reason when it is aborted
 */
export async function connectNats(options: ConnectOptions): Promise<NatsConnection> {
  for (let attempt = 1; ; attempt++) {
    options.signal?.throwIfAborted();
    const url = options.urls[(attempt - 1) % options.urls.length] ?? "";
    try {
      const connection = await dial(url, options);
      void relayStatus(connection, options.events);
      return connection;
    } catch (cause) {
      if (cause instanceof NatsError && cause.isAuthError()) {
        const hint =
          "make sure that the server runs with the configuration made from the same authority file, and that they are not expired";
        throw new Error(`connecting to NATS at ${url}: the server refuses these credentials; ${hint}`, { cause });
      }
      const milliseconds = backoffMilliseconds(attempt);
      const error = new Error(
        `connecting to NATS at ${url} failed; is nats-server running there, and does every firewall let it through?`,
        { cause },
      );
      options.events.connectFailed?.(error, milliseconds);
      await pause(milliseconds, options.signal);
    }
  }
}

async function dial(url: string, options: ConnectOptions): Promise<NatsConnection> {
  let lastConnected = performance.now();
  const connection = await (/^wss?:/.test(url) ? connectWebSocket : connect)({
    servers: url,
    authenticator: jwtAuthenticator(options.jwt, utf8(options.seed)),
    name: options.name,
    ...(options.inboxPrefix === undefined ? {} : { inboxPrefix: options.inboxPrefix }),
    timeout: 10_000,
    pingInterval: 10_000,
    maxPingOut: 3,
    maxReconnectAttempts: -1,
    // Expired credentials are renewed by the owner: keep trying with what `jwt` then gives.
    ignoreAuthErrorAbort: true,
    // Called often, so it may not count its calls: the pause grows with the time that the connection has been away.
    reconnectDelayHandler: () => Math.min(10_000, 100 + (performance.now() - lastConnected) / 2) * (0.8 + Math.random() * 0.4),
  });
  onStatus(connection, Events.Disconnect, () => (lastConnected = performance.now()));
  return connection;
}

/**
 * Resolves when the server has answered, so that the request that follows is not lost with a connection that is just going down.
 *
 * @throws Error after ten seconds, the signal's reason when it is aborted
 */
async function untilConnected(connection: NatsConnection, signal?: AbortSignal): Promise<void> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    signal?.throwIfAborted();
    try {
      await connection.flush();
      return;
    } catch (cause) {
      if (connection.isClosed() || performance.now() > deadline)
        throw new Error("reaching NATS: the connection is down; the client goes on trying to restore it", { cause });
      await pause(50, signal);
    }
  }
}

/**
 * Makes a request on a connection that is up. One that goes down before the answer has come ends the wait for it at once: whether the
 * request was heard is then unknown, so it must be one that can be repeated.
 *
 * @throws Error when there is no connection, or it was lost; what `act` throws; the signal's reason
 */
export async function whileConnected<Answer>(
  connection: NatsConnection,
  act: () => Promise<Answer>,
  signal?: AbortSignal,
): Promise<Answer> {
  await untilConnected(connection, signal);
  const { promise: lost, reject } = Promise.withResolvers<never>();
  using _ = onStatus(connection, Events.Disconnect, () =>
    reject(new Error("reaching NATS: the connection was lost before the answer came")),
  );
  return await Promise.race([act(), lost]);
}

/** Calls back each time that a lost connection has been restored, until disposed. */
export function onReconnect(connection: NatsConnection, callback: () => void): Disposable {
  return onStatus(connection, Events.Reconnect, callback);
}

function onStatus(connection: NatsConnection, type: Events, callback: () => void): Disposable {
  const statuses = connection.status();
  void (async () => {
    for await (const status of statuses) if (status.type === type) callback();
  })();
  // The type does not say so, but it is a queue, which the connection keeps filling until it is stopped.
  const stop = "stop" in statuses && typeof statuses.stop === "function" ? statuses.stop.bind(statuses) : undefined;
  return { [Symbol.dispose]: () => void stop?.() };
}

/** Sends what is waiting to be sent, for two seconds at most, and closes. */
export async function closeConnection(connection: NatsConnection): Promise<void> {
  const tooLong = new AbortController();
  const drained = connection.drain().catch(() => undefined);
  await Promise.race([drained, pause(2_000, tooLong.signal).catch(() => undefined)]);
  tooLong.abort();
  await connection.close();
}

const credentialErrors: unknown[] = [ErrorCode.AuthorizationViolation, ErrorCode.AuthenticationExpired, ErrorCode.AccountExpired];

async function relayStatus(connection: NatsConnection, events: ConnectionEvents): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === Events.Disconnect) events.disconnected?.();
    if (status.type === Events.Reconnect) events.reconnected?.();
    if (status.type !== Events.Error) continue;
    if (credentialErrors.includes(status.data)) events.credentialsRefused?.();
    else events.serverError?.(describe(status.data, status.permissionContext));
  }
}

function describe(data: unknown, context: { operation: string; subject: string } | undefined): string {
  if (data === ErrorCode.ProtocolError)
    return "the server has ended the connection: the credentials were revoked, or it has too many connections";
  return context ? `${String(data)}: ${context.operation} ${context.subject}` : String(data);
}
