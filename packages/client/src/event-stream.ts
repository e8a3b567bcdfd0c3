import { apiErrorOf, connectionErrorOf, send } from "./http.ts";
import { parseEventStream, type ServerSentEvent } from "./server-sent-events.ts";

type Stream = { readonly doing: string; readonly url: string; readonly signal: AbortSignal | undefined };

/**
 * Events of a stream until it ends, the connection breaks or the signal aborts; leaving the loop ends the connection.
 *
 * @throws ApiError, ConnectionError
 */
export async function* openEventStream({ doing, url, signal }: Stream): AsyncGenerator<ServerSentEvent> {
  // Leaving the loop early must end the connection, whoever leaves it.
  using connection = closing(signal);
  const options = { doing, url, headers: { accept: "text/event-stream" }, signal };
  try {
    const response = await send(options, connection.signal);
    if (response.status >= 400) throw apiErrorOf(doing, response, new Uint8Array(await response.arrayBuffer()));
    if (response.body === null) return;
    yield* parseEventStream(response.body);
  } catch (cause) {
    throw connectionErrorOf(options, cause, false);
  }
}

function closing(outer: AbortSignal | undefined): Disposable & { signal: AbortSignal } {
  const inner = new AbortController();
  return {
    signal: outer ? AbortSignal.any([outer, inner.signal]) : inner.signal,
    [Symbol.dispose]: () => inner.abort(),
  };
}
