import type { IncomingHttpHeaders } from "node:http";
import { bearerTokenOf, tokenMatcher, unauthorized } from "@quorate/service/bearer";
import { ProblemError } from "@quorate/service/problem";

const hint = "this is for whoever runs the network; its token is ADMIN_TOKEN";

/** Lets requests through that come with the network's token. @throws ProblemError 401 of others; 403 where the network has none */
export type RequireAdmin = (headers: IncomingHttpHeaders) => void;

export function createAdminAccess(adminToken: string | undefined): RequireAdmin {
  const matches = adminToken === undefined ? undefined : tokenMatcher(adminToken);
  return (headers) => {
    if (matches === undefined) throw new ProblemError(403, "no-admin", "this network has no ADMIN_TOKEN: nobody decides over its API");
    if (!matches(bearerTokenOf(headers, hint))) throw unauthorized(`this token is not valid; ${hint}`);
  };
}
