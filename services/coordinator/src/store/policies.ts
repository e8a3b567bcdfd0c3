import { formatCanonicalJson } from "@quorate/protocol/canonical-json";
import { parseSha256, type Sha256 } from "@quorate/protocol/digest";
import { type Policy, type PolicyVersion, policySchema } from "@quorate/protocol/policy";
import { desc, eq } from "drizzle-orm";
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

/** Newest first. */
export async function loadPolicyVersions(db: Queries): Promise<PolicyVersion[]> {
  const rows = await db.select().from(policies).orderBy(desc(policies.logIndex));
  return rows.map(({ digest, policy, logIndex }) => ({
    index: logIndex,
    digest: parseSha256(digest),
    policy: policySchema.parse(JSON.parse(policy)),
  }));
}

/** A policy is what its digest says for ever, every step of every round asks for one, and a network has a handful. */
const read = new Map<string, Policy>();

/** @throws Error when no such policy was ever logged here */
export async function loadPolicy(db: Queries, digest: string): Promise<Policy> {
  const known = read.get(digest);
  if (known) return known;
  const [row] = await db.select().from(policies).where(eq(policies.digest, digest));
  if (!row) throw new Error(`loading policy ${digest}: a round refers to it, but it is not in the database`);
  const policy = policySchema.parse(JSON.parse(row.policy));
  read.set(digest, policy);
  return policy;
}
