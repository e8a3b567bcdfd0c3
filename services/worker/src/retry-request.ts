import { backoffMilliseconds, pause } from "@quorate/bus/backoff";
import { ApiError } from "@quorate/client/http";
import type { WorkerEvents } from "./events.ts";

/**
 * Repeats a request until it is answered, however long the coordinator, or who certifies a keyless operator's signatures, is away.
 *
 * @throws ApiError when the coordinator refuses; the signal's reason when it is aborted
 */
export async function retryRequest<Answer>(
  what: string,
  ask: () => Promise<Answer>,
  { events, signal }: { events: Pick<WorkerEvents, "retrying">; signal: AbortSignal },
): Promise<Answer> {
  for (let failures = 0; ;) {
    signal.throwIfAborted();
    try {
      return await ask();
    } catch (error) {
      signal.throwIfAborted();
      if (isRefusal(error)) throw error;
      const milliseconds = backoffMilliseconds(++failures);
      events.retrying(what, error, milliseconds);
      await pause(milliseconds, signal);
    }
  }
}

/** An answer that the same request would get again. */
function isRefusal(error: unknown): boolean {
  return error instanceof ApiError && error.status < 500 && ![408, 425, 429].includes(error.status);
}
