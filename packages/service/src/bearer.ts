import { createHash, timingSafeEqual } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { ProblemError } from "./problem.ts";

/** The token of a request's `Authorization: Bearer …` (RFC 6750 §2.1), or undefined when there is none. */
export function bearerToken(request: Pick<FastifyRequest, "headers">): string | undefined {
  return /^Bearer ([!-~]{1,4096})$/i.exec(request.headers.authorization ?? "")?.[1];
}

/** Compares secrets in a time that says nothing about where they differ. */
export function equalTokens(given: string, expected: string): boolean {
  const [a, b] = [given, expected].map((token) => createHash("sha256").update(token).digest());
  return a !== undefined && b !== undefined && timingSafeEqual(a, b);
}

/** A hook for routes that one token opens: anything else is 401 with a problem. */
export function requireBearer(expected: string): (request: FastifyRequest) => Promise<void> {
  return async (request) => {
    const given = bearerToken(request);
    if (given !== undefined && equalTokens(given, expected)) return;
    const detail =
      given === undefined ? "send the header Authorization: Bearer <token>" : "the bearer token is not the one that opens this";
    throw new ProblemError(401, "unauthorized", detail, { headers: { "www-authenticate": "Bearer" } });
  };
}
