import { formatCanonicalJson } from "@quorate/protocol/canonical-json";
import type { Sha256 } from "@quorate/protocol/digest";
import { type Policy, policySchema } from "@quorate/protocol/policy";
import { eq } from "drizzle-orm";
import type { Queries } from "../database.ts";
import { policies } from "../schema.ts";

export async function savePolicy(db: Queries, logged: { digest: Sha256; policy: Policy; index: number }): Promise<void> {
  await db
    .insert(policies)
    .values({ digest: logged.digest, policy: formatCanonicalJson(logged.policy), logIndex: logged.index })
    .onConflictDoNothing();
}

export async function hasPolicy(db: Queries, digest: Sha256): Promise<boolean> {
  const rows = await db.select({ digest: policies.digest }).from(policies).where(eq(policies.digest, digest));
  return rows.length > 0;
}

/** @throws Error when no such policy was ever logged here */
export async function loadPolicy(db: Queries, digest: string): Promise<Policy> {
  const [row] = await db.select().from(policies).where(eq(policies.digest, digest));
  if (!row) throw new Error(`loading policy ${digest}: a round refers to it, but it is not in the database`);
  return policySchema.parse(JSON.parse(row.policy));
}
