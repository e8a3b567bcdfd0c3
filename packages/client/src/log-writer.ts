import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { ApiError, ConnectionError, requestJson } from "./http.ts";

const appendAnswerSchema = z.object({
  index: z.int().min(0),
  leafHash: z.string().regex(/^[0-9a-f]{64}$/),
  duplicate: z.boolean(),
  /** The cosigned checkpoint that covers the index, when the caller waited for it. */
  checkpoint: z.string().optional(),
});

export type Appended = {
  index: number;
  leafHash: string;
  /** The log held an entry with this key already: `index` is that one's. */
  duplicate: boolean;
  published?: string;
};

export type Append = {
  /** The entry's logical key: the log keeps one entry for each (`@quorate/protocol/entry`). */
  key: string;
  bytes: Uint8Array;
  /** `sequenced`: durable at its index. `published`: also under a checkpoint that the witnesses cosigned. */
  wait: "sequenced" | "published";
  signal?: AbortSignal | undefined;
};

export interface LogWriter {
  append(append: Append): Promise<Appended>;
}

export type LogWriterOptions = {
  url: string;
  token: string;
  /** How long an append is tried again while the log is busy or away. An append may be repeated because its key identifies it. */
  persistSeconds?: number;
};

/** Appends entries to the log service over HTTP. */
export function createLogWriter({ url, token, persistSeconds = 60 }: LogWriterOptions): LogWriter {
  return {
    async append(append) {
      const giveUpAt = performance.now() + persistSeconds * 1000;
      for (let attempt = 0; ; attempt++) {
        try {
          return await appendOnce(url, token, append);
        } catch (error) {
          const waitSeconds = retryWaitSeconds(error, attempt);
          if (waitSeconds === undefined || performance.now() + waitSeconds * 1000 > giveUpAt) throw error;
          await delay(waitSeconds * 1000, undefined, { signal: append.signal });
        }
      }
    },
  };
}

async function appendOnce(url: string, token: string, { key, bytes, wait, signal }: Append): Promise<Appended> {
  const answer = await requestJson(
    {
      doing: `appending ${key} to the log`,
      url: `${url}/add?wait=${wait}`,
      method: "POST",
      headers: { "content-type": "application/octet-stream", "idempotency-key": key },
      token,
      body: new Uint8Array(bytes),
      signal,
      maxBytes: 2 ** 20,
    },
    appendAnswerSchema,
  );
  const { checkpoint, ...appended } = answer;
  return checkpoint === undefined ? appended : { ...appended, published: checkpoint };
}

function retryWaitSeconds(error: unknown, attempt: number): number | undefined {
  const backoffSeconds = Math.min(5, 0.1 * 2 ** attempt);
  if (error instanceof ApiError && error.status === 503) return error.retryAfterSeconds ?? backoffSeconds;
  if (error instanceof ConnectionError) return backoffSeconds;
  return undefined;
}
