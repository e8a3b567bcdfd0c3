import { ProblemError } from "@quorate/service/problem";
import type { FastifyRequest } from "fastify";
import { publicAddressOf } from "./public-address.ts";

const name = "quorate_project";
const path = "/project";

/** The token that the reader's browser keeps for the pages of its project, as `Set-Cookie` takes it (RFC 6265); it ends with the browser. */
export function formatSessionCookie(token: string, isSecure: boolean): string {
  return `${name}=${Buffer.from(token).toString("base64url")}; ${attributesOf(isSecure)}`;
}

export function formatEndedCookie(isSecure: boolean): string {
  return `${name}=; Max-Age=0; ${attributesOf(isSecure)}`;
}

/** The token of a `Cookie` header, or undefined where there is none that could be a token. */
export function parseSessionCookie(header: string | undefined): string | undefined {
  const [, value = ""] = new RegExp(`(?:^|; ?)${name}=([\\w-]{1,700})(?:;|$)`).exec(header ?? "") ?? [];
  return tokenOf(Buffer.from(value, "base64url").toString());
}

/** What could be a token at all: others are not sent on. */
export function tokenOf(text: string): string | undefined {
  return /^[!-~]{1,512}$/.test(text) ? text : undefined;
}

/**
 * Nothing is changed for another site's page, whose forms browsers send too.
 * @throws ProblemError
 */
export function refuseCrossSite(request: Pick<FastifyRequest, "headers" | "protocol" | "host">, publicUrl: string | undefined): void {
  const { origin } = request.headers;
  if (origin === undefined || (publicUrl !== undefined && origin === new URL(publicUrl).origin)) return;
  if (URL.canParse(origin) && new URL(origin).host === new URL(publicAddressOf(undefined, request).url).host) return;
  throw new ProblemError(403, "cross-site", "This came from the page of another site, and nothing is done for it here.");
}

function attributesOf(isSecure: boolean): string {
  return `Path=${path}; HttpOnly; SameSite=Strict${isSecure ? "; Secure" : ""}`;
}
