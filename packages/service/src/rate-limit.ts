import { compile } from "@fastify/proxy-addr";
import rateLimit from "@fastify/rate-limit";
import type { FastifyRequest } from "fastify";
import type { HttpApp } from "./http-app.ts";
import { networkOf } from "./network-of.ts";
import { ProblemError } from "./problem.ts";

export type RateLimit = {
  /** Of one IPv4 address, or of one /64 of IPv6 addresses; and of one bucket. */
  requestsAMinute: number;
  /** As the HTTP app trusts them. What comes from one of these itself, and is passed on for nobody, is not limited. */
  trustedProxies: readonly string[];
  /** Names who has a bucket of its own, whatever its address, by what was checked before; undefined for all others. */
  bucketOf?: (request: Pick<FastifyRequest, "headers">) => string | undefined;
};

/** At most so many are counted at a time; then those that were longest not heard of are forgotten. */
const clients = 50_000;

/**
 * Counts each client's requests in the minute that its first one begins. Answers say what is left (`ratelimit-limit`, `ratelimit-remaining`,
 * `ratelimit-reset` in seconds); what goes over is 429 with `retry-after`, before anything else is looked at. Routes with `rateLimit: false` in
 * their `config` are not limited.
 */
export async function limitRequests(app: HttpApp, { requestsAMinute, trustedProxies, bucketOf }: RateLimit): Promise<void> {
  // By the rule that the HTTP app trusts them by.
  const isProxy = compile([...trustedProxies]);
  await app.register(rateLimit, {
    global: false,
    max: requestsAMinute,
    timeWindow: 60_000,
    cache: clients,
    enableDraftSpec: true,
    keyGenerator(request) {
      const bucket = bucketOf?.(request);
      return bucket === undefined ? `address ${networkOf(request.ip)}` : `bucket ${bucket}`;
    },
    allowList: ({ ip, routeOptions }) => routeOptions.config?.rateLimit === false || isProxy(ip, 0),
    errorResponseBuilder: (_request, { max, ttl }) => tooMany(max, Math.ceil(ttl / 1000)),
  });
  // Ahead of the routes' own hooks, which look tokens up.
  app.addHook("onRequest", app.rateLimit());
}

function tooMany(requests: number, seconds: number): ProblemError {
  const detail = `more than ${requests} requests came from your address or with your token in one minute; try again in ${seconds} s, or ask for more at a time`;
  return new ProblemError(429, "too-many-requests", detail);
}
