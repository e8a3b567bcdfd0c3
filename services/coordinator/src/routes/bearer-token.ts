import { timingSafeEqual } from "node:crypto";
import { ProblemError } from "@quorate/service/problem";

/**
 * The token of an `Authorization: Bearer <token>` header (RFC 6750 §2.1).
 *
 * @throws ProblemError 401 when there is none; `hint` says where to get one
 */
export function bearerTokenOf(headers: { authorization?: string | undefined }, hint: string): string {
  const token = /^Bearer ([!-~]{1,512})$/i.exec(headers.authorization ?? "")?.[1];
  if (token) return token;
  throw unauthorized(`this needs the header "Authorization: Bearer <token>"; ${hint}`);
}

export function unauthorized(detail: string): ProblemError {
  return new ProblemError(401, "unauthorized", detail, { headers: { "www-authenticate": "Bearer" } });
}

/** Takes as long for a nearly right token as for a wrong one. */
export function sameToken(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
