import { hash, timingSafeEqual } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { ProblemError } from "./problem.ts";

/**
 * The token of an `Authorization: Bearer <token>` header (RFC 6750 §2.1).
 *
 * @throws ProblemError 401 when there is none; `hint` says where to get one
 */
export function bearerTokenOf(headers: { authorization?: string | undefined }, hint: string): string {
  const token = findBearerToken(headers);
  if (token) return token;
  throw unauthorized(`this needs the header "Authorization: Bearer <token>"; ${hint}`);
}

export function findBearerToken({ authorization = "" }: { authorization?: string | undefined }): string | undefined {
  return /^Bearer ([!-~]{1,4096})$/i.exec(authorization)?.[1];
}

export function unauthorized(detail: string): ProblemError {
  return new ProblemError(401, "unauthorized", detail, { headers: { "www-authenticate": "Bearer" } });
}

/** Compares a secret with the expected one in a time that says nothing about where they differ. */
export function tokenMatcher(expected: string): (given: string) => boolean {
  const digest = digestOf(expected);
  return (given) => timingSafeEqual(digestOf(given), digest);
}

/** A hook for routes that one token opens: anything else is 401 with a problem. */
export function requireBearer(expected: string): (request: Pick<FastifyRequest, "headers">) => Promise<void> {
  const matches = tokenMatcher(expected);
  const hint = "whoever runs this service has the token";
  return async ({ headers }) => {
    if (!matches(bearerTokenOf(headers, hint))) throw unauthorized(`this token is not valid; ${hint}`);
  };
}

/** Of one length whatever the token's, as a comparison in constant time needs. */
function digestOf(token: string): Buffer {
  return hash("sha256", token, "buffer");
}
