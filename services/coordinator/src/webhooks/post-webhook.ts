import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { isIP } from "node:net";
import { allowedAddressOf } from "./public-address.ts";

const waitMilliseconds = 10_000;

/** An endpoint that could not be asked, or did not answer in time; the message is for the project whose it is. */
export class WebhookError extends Error {}

export type PostWebhook = (message: { url: string; headers: Readonly<Record<string, string>>; body: string }) => Promise<number>;

type Given = {
  isAllowed: (address: string) => boolean;
  /** Ends what is under way. */
  signal: AbortSignal;
  waitMilliseconds?: number;
};

/**
 * Sends messages to endpoints that strangers named: only to addresses that are allowed, following no redirect, waiting 10 s at most for the
 * status of the answer, of which nothing else is read.
 *
 * @returns the status
 */
export function createPostWebhook({ isAllowed, signal, ...given }: Given): PostWebhook {
  const timeout = given.waitMilliseconds ?? waitMilliseconds;
  return async ({ url, headers, body }) => {
    const { hostname, protocol } = new URL(url);
    const timeUp = AbortSignal.timeout(timeout);
    try {
      const address = await allowedAddressOf(hostname, isAllowed);
      return await statusOf(protocol === "http:" ? requestHttp : requestHttps, url, {
        body,
        headers,
        address,
        signal: AbortSignal.any([timeUp, signal]),
      });
    } catch (cause) {
      if (timeUp.aborted) throw new WebhookError(`it did not answer in ${timeout / 1000} s`, { cause });
      throw new WebhookError(cause instanceof Error ? cause.message : String(cause), { cause });
    }
  };
}

type Sent = { body: string; headers: Readonly<Record<string, string>>; address: string; signal: AbortSignal };

async function statusOf(request: typeof requestHttps, url: string, { body, headers, address, signal }: Sent): Promise<number> {
  return await new Promise((resolve, reject) => {
    const outgoing = request(url, {
      method: "POST",
      signal,
      // A connection of its own, to this address.
      agent: false,
      lookup: (_hostname, { all }, done) => {
        const family = isIP(address);
        if (all) done(null, [{ address, family }]);
        else done(null, address, family);
      },
      headers: {
        ...headers,
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
        "user-agent": "quorate-webhook",
      },
    });
    outgoing.on("error", reject);
    outgoing.on("response", (response) => {
      resolve(response.statusCode ?? 0);
      response.destroy();
    });
    outgoing.end(body);
  });
}
