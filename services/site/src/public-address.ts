import { ProblemError } from "@quorate/service/problem";
import type { FastifyRequest } from "fastify";

/** Where the site is for who asks, as `https://quorate.example`. */
export type PublicAddress = {
  readonly url: string;
  /** The request said so itself: what names this address is for nobody else, and for no shared cache. */
  readonly isOfRequest: boolean;
};

const hostPattern = /^(?:[0-9a-z.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i;

/** The configured address, or else the one that was asked (RFC 9110 §7.2). @throws ProblemError when that is none */
export function publicAddressOf(
  configured: string | undefined,
  { protocol, host }: Pick<FastifyRequest, "protocol" | "host">,
): PublicAddress {
  if (configured !== undefined) return { url: configured, isOfRequest: false };
  const url = `${protocol}://${host}`;
  if (/^https?$/.test(protocol) && hostPattern.test(host) && URL.canParse(url)) return { url, isOfRequest: true };
  throw new ProblemError(400, "invalid-request", "The Host header names no host, and addresses in the answer begin with it.");
}
