import { and, eq, isNull } from "drizzle-orm";
import { sha256Of } from "@quorate/protocol/digest";
import { utf8 } from "@quorate/protocol/utf8";
import type { Queries } from "../database.ts";
import { apiTokens } from "../schema.ts";

/** Tokens are long random texts, so that a plain digest keeps them secret. */
const hashOf = (token: string): string => sha256Of(utf8(token));

export async function saveApiToken(db: Queries, token: string, project: string, now: Date): Promise<void> {
  await db
    .insert(apiTokens)
    .values({ hash: hashOf(token), project, createdAt: now })
    .onConflictDoNothing();
}

/** The token's hash, when it is one that is valid. */
export async function findApiToken(db: Queries, token: string): Promise<string | undefined> {
  const [row] = await db
    .select({ hash: apiTokens.hash })
    .from(apiTokens)
    .where(and(eq(apiTokens.hash, hashOf(token)), isNull(apiTokens.revokedAt)));
  return row?.hash;
}
