import { hash, timingSafeEqual } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { ProblemError } from "./problem.ts";

/** The token of a request's `Authorization: Bearer …` (RFC 6750 §2.1), or undefined when there is none. */
export function bearerToken(request: Pick<FastifyRequest, "headers">): string | undefined {
  return /^Bearer ([!-~]{1,4096})$/i.exec(request.headers.authorization ?? "")?.[1];
}

/** Compares a secret with the expected one in a time that says nothing about where they differ. */
export function tokenMatcher(expected: string): (given: string) => boolean {
  const digest = digestOf(expected);
  return (given) => timingSafeEqual(digestOf(given), digest);
}

/** A hook for routes that one token opens: anything else is 401 with a problem. */
export function requireBearer(expected: string): (request: Pick<FastifyRequest, "headers">) => Promise<void> {
  const matches = tokenMatcher(expected);
  return async (request) => {
    const given = bearerToken(request);
    if (given !== undefined && matches(given)) return;
    const detail =
      given === undefined ? "send the header Authorization: Bearer <token>" : "the bearer token is not the one that opens this";
    throw new ProblemError(401, "unauthorized", detail, { headers: { "www-authenticate": "Bearer" } });
  };
}

/** Of one length whatever the token's, as a comparison in constant time needs. */
function digestOf(token: string): Buffer {
  return hash("sha256", token, "buffer");
}
