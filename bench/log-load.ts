import { Agent, request } from "node:http";
import { formatKeyedEntries, maxKeyedEntries } from "@quorate/log/keyed-entries";
import { inLanes } from "../test/integration/log-constellation.ts";

export const entryBytes = 1_024;

/** A client of the log that costs this process as little as it can: `fetch` costs more than the log spends on an entry. */
export class LogLoad implements Disposable {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 256 });
  readonly #url: string;
  readonly #token: string;

  constructor(log: { url: string; token: string }) {
    this.#url = log.url;
    this.#token = log.token;
  }

  /** Milliseconds until one entry has what was waited for. */
  async append(key: string, wait: "sequenced" | "published"): Promise<number> {
    const startedAt = performance.now();
    await this.#send(`/add?wait=${wait}`, { body: entryOf(key), headers: { "idempotency-key": key } });
    return performance.now() - startedAt;
  }

  /** Entries a second that become durable, one entry a request. */
  async entriesPerSecond(name: string, count: number, requestsAtOnce: number): Promise<number> {
    const startedAt = performance.now();
    await inLanes(count, requestsAtOnce, async (number) => void (await this.append(`${name}/${number}`, "sequenced")));
    return (count * 1000) / (performance.now() - startedAt);
  }

  /** Entries a second that become durable, as many a request as the log takes. */
  async bundledEntriesPerSecond(name: string, count: number, requestsAtOnce: number): Promise<number> {
    const startedAt = performance.now();
    const requests = Math.ceil(count / maxKeyedEntries);
    await inLanes(requests, requestsAtOnce, async (number) => {
      const keys = Array.from({ length: maxKeyedEntries }, (_, position) => `${name}/${number}/${position}`);
      const body = formatKeyedEntries(keys.map((key) => ({ key, bytes: entryOf(key) })));
      await this.#send("/add-entries?wait=sequenced", { body });
    });
    return (requests * maxKeyedEntries * 1000) / (performance.now() - startedAt);
  }

  /** Answers a second of a route of the same server that does nothing. */
  async answersPerSecond(count: number, requestsAtOnce: number): Promise<number> {
    const startedAt = performance.now();
    await inLanes(count, requestsAtOnce, async () => void (await this.#send("/health/live", {})));
    return (count * 1000) / (performance.now() - startedAt);
  }

  /** How many batches the log has sequenced since it started. */
  async batches(): Promise<number> {
    return Number(/^log_batch_seconds_count (\d+)$/m.exec(await this.#send("/metrics", {}))?.[1] ?? 0);
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  #send(path: string, { body, headers = {} }: { body?: Uint8Array; headers?: Record<string, string> }): Promise<string> {
    const content = { authorization: `Bearer ${this.#token}`, "content-type": "application/octet-stream", "content-length": body?.length };
    const options = { agent: this.#agent, ...(body ? { method: "POST", headers: { ...content, ...headers } } : {}) };
    return new Promise((resolve, reject) => {
      const sent = request(new URL(path, this.#url), options, (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("error", reject);
        answer.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          if (answer.statusCode === 200) resolve(text);
          else reject(new Error(`asking the log for ${path}: it answered ${answer.statusCode}: ${text.slice(0, 300)}`));
        });
      });
      sent.on("error", reject);
      sent.end(body);
    });
  }
}

function entryOf(key: string): Buffer {
  return Buffer.alloc(entryBytes, `${key} `);
}
