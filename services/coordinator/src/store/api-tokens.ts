import type { TokenScope } from "@quorate/protocol/api-token";
import { type Sha256, sha256Of } from "@quorate/protocol/digest";
import { utf8 } from "@quorate/protocol/utf8";
import { and, desc, eq, gt, isNull, or } from "drizzle-orm";
import type { Queries } from "../database.ts";
import { apiTokens } from "../administration-tables.ts";

export type StoredToken = {
  id: string;
  project: string;
  scopes: TokenScope[];
  createdAt: Date;
  expiresAt?: Date | undefined;
  revokedAt?: Date | undefined;
};

/** Nothing is changed when there is a token with this secret: one that was revoked stays so. */
export async function saveApiToken(db: Queries, token: StoredToken, secret: string): Promise<void> {
  await db
    .insert(apiTokens)
    .values({ ...token, hash: hashOf(secret) })
    .onConflictDoNothing();
}

/** The token with this secret, while it is valid. */
export async function findApiToken(db: Queries, secret: string, now: Date): Promise<StoredToken | undefined> {
  const isValid = and(isNull(apiTokens.revokedAt), or(isNull(apiTokens.expiresAt), gt(apiTokens.expiresAt, now)));
  const [row] = await db
    .select()
    .from(apiTokens)
    .where(and(eq(apiTokens.hash, hashOf(secret)), isValid));
  return row && tokenOf(row);
}

/** The newest first. */
export async function loadApiTokens(db: Queries): Promise<StoredToken[]> {
  return (await db.select().from(apiTokens).orderBy(desc(apiTokens.createdAt), apiTokens.id)).map(tokenOf);
}

/** The token as it is from now on, and whether that is new; undefined when there is none. */
export async function revokeApiToken(db: Queries, id: string, now: Date): Promise<{ token: StoredToken; isNew: boolean } | undefined> {
  const [revoked] = await db
    .update(apiTokens)
    .set({ revokedAt: now })
    .where(and(eq(apiTokens.id, id), isNull(apiTokens.revokedAt)))
    .returning();
  if (revoked) return { token: tokenOf(revoked), isNew: true };
  const [row] = await db.select().from(apiTokens).where(eq(apiTokens.id, id));
  return row && { token: tokenOf(row), isNew: false };
}

/** Secrets are long random texts, so that a plain digest keeps them secret. */
function hashOf(secret: string): Sha256 {
  return sha256Of(utf8(secret));
}

function tokenOf({ id, project, scopes, createdAt, expiresAt, revokedAt }: typeof apiTokens.$inferSelect): StoredToken {
  return { id, project, scopes, createdAt, expiresAt: expiresAt ?? undefined, revokedAt: revokedAt ?? undefined };
}
