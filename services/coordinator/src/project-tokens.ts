import { randomBytes, randomUUID } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { type NewToken, type TokenRequest, tokenScopes, type TokenScope, type TokenView } from "@quorate/protocol/api-token";
import { bearerTokenOf, findBearerToken, unauthorized } from "@quorate/service/bearer";
import { ProblemError } from "@quorate/service/problem";
import type { Database } from "./database.ts";
import { findApiToken, loadApiTokens, revokeApiToken, saveApiToken, type StoredToken } from "./store/api-tokens.ts";
import { saveAuditEntry } from "./store/audit-entries.ts";

/** The tokens that whoever runs the network gives to projects, and what they open. */
export type ProjectTokens = {
  /** The first project's token, of the configuration: it may do all that a project may. */
  keepFirst(secret: string): Promise<void>;
  create(request: TokenRequest): Promise<NewToken>;
  list(): Promise<TokenView[]>;
  /** Ends a token at once; again, changes nothing. @throws ProblemError when there is none */
  revoke(id: string): Promise<TokenView>;
  /** The token that a request comes with. @throws ProblemError 401 without a valid one, 403 when it does not open `scope` */
  require(headers: IncomingHttpHeaders, scope: TokenScope): Promise<StoredToken>;
  /** The id of the token that a request comes with, if it was valid when it was last looked up. */
  bucketOf(request: { headers: IncomingHttpHeaders }): string | undefined;
};

const hint = "ask whoever runs this network for a project's API token";
const actor = "admin token";

export function createProjectTokens({ db, now }: { db: Database; now: () => Date }): ProjectTokens {
  /** By secret, without a look into the database: whoever invents tokens has no bucket of its own, and only tokens that are rows are kept. */
  const seen = new Map<string, string>();
  return {
    async keepFirst(secret) {
      await saveApiToken(db, { id: randomUUID(), project: "first", scopes: [...tokenScopes], createdAt: now() }, secret);
    },
    async create({ project, scopes, expiresAt }) {
      const at = now();
      const token: StoredToken = { id: randomUUID(), project, scopes: [...new Set(scopes)], createdAt: at };
      if (expiresAt !== undefined) token.expiresAt = laterThan(at, expiresAt);
      const secret = `quorate-project-${randomBytes(32).toString("base64url")}`;
      const detail = `scopes ${token.scopes.join(" ")}${expiresAt === undefined ? "" : `, until ${expiresAt}`}`;
      await db.transaction(async (tx) => {
        await saveApiToken(tx, token, secret);
        await saveAuditEntry(tx, { at, actor, action: "create-token", subject: token.id, detail, project });
      });
      return { ...tokenViewOf(token), secret };
    },
    async list() {
      return (await loadApiTokens(db)).map(tokenViewOf);
    },
    async revoke(id) {
      const at = now();
      const revoked = await db.transaction(async (tx) => {
        const found = await revokeApiToken(tx, id, at);
        if (found?.isNew) await saveAuditEntry(tx, { at, actor, action: "revoke-token", subject: id, project: found.token.project });
        return found;
      });
      if (!revoked) throw new ProblemError(404, "not-found", `there is no token ${id}; GET /v1/tokens lists them`);
      return tokenViewOf(revoked.token);
    },
    async require(headers, scope) {
      const secret = bearerTokenOf(headers, hint);
      const token = await findApiToken(db, secret, now());
      if (token) seen.set(secret, token.id);
      else seen.delete(secret);
      if (!token) throw unauthorized(`this API token is not valid: it is unknown, revoked or expired; ${hint}`);
      if (!token.scopes.includes(scope)) throw scopeMissing(token, scope);
      return token;
    },
    bucketOf: ({ headers }) => seen.get(findBearerToken(headers) ?? ""),
  };
}

export function tokenViewOf({ createdAt, expiresAt, revokedAt, ...token }: StoredToken): TokenView {
  return {
    ...token,
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt?.toISOString(),
    revokedAt: revokedAt?.toISOString(),
  };
}

function laterThan(now: Date, expiresAt: string): Date {
  const time = new Date(expiresAt);
  if (time > now) return time;
  throw new ProblemError(422, "expired-already", `a token that ends at ${expiresAt} would never be valid; give a time that is to come`);
}

/** RFC 6750 §3.1. */
function scopeMissing({ project, scopes }: StoredToken, scope: TokenScope): ProblemError {
  const detail = `this needs a token with the scope ${scope}, and this one of project ${project} has ${scopes.join(" and ")}; ${hint} with that scope`;
  return new ProblemError(403, "scope-missing", detail, {
    extensions: { scope },
    headers: { "www-authenticate": `Bearer error="insufficient_scope", scope="${scope}"` },
  });
}
