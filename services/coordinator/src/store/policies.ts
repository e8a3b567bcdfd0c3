import { formatCanonicalJson } from "@quorate/protocol/canonical-json";
import { parseSha256, type Sha256 } from "@quorate/protocol/digest";
import { type Policy, policySchema, type PolicyVersion } from "@quorate/protocol/policy";
import { and, desc, eq, isNull } from "drizzle-orm";
import type { Queries } from "../database.ts";
import { policies } from "../schema.ts";

/** A policy that is about to be logged. */
export async function savePolicy(db: Queries, { digest, policy }: Omit<PolicyVersion, "index">): Promise<void> {
  await db
    .insert(policies)
    .values({ digest, policy: formatCanonicalJson(policy) })
    .onConflictDoNothing();
}

export async function savePolicyLogged(db: Queries, digest: Sha256, index: number): Promise<void> {
  await db
    .update(policies)
    .set({ logIndex: index })
    .where(and(eq(policies.digest, digest), isNull(policies.logIndex)));
}

/** Those whose index is not known: the log may have them or not. */
export async function loadUnloggedPolicies(db: Queries): Promise<Policy[]> {
  const rows = await db.select().from(policies).where(isNull(policies.logIndex));
  return rows.map(({ policy }) => parsePolicy(policy));
}

/** Newest first. */
export async function loadPolicyVersions(db: Queries): Promise<PolicyVersion[]> {
  const rows = await db.select().from(policies).orderBy(desc(policies.logIndex));
  return rows.flatMap(({ digest, policy, logIndex }) =>
    logIndex === null ? [] : [{ index: logIndex, digest: parseSha256(digest), policy: parsePolicy(policy) }],
  );
}

/** The newest. @throws Error when none was ever logged here: a coordinator logs one when it starts */
export async function loadPolicyInForce(db: Queries): Promise<PolicyVersion> {
  const [newest] = await loadPolicyVersions(db);
  if (newest === undefined) throw new Error("loading the policy in force: none is in the database");
  return newest;
}

/** A policy is what its digest says for ever, every step of every round asks for one, and a network has a handful. */
const read = new Map<string, Policy>();

/** @throws Error when no such policy was ever logged here */
export async function loadPolicy(db: Queries, digest: string): Promise<Policy> {
  const known = read.get(digest);
  if (known) return known;
  const [row] = await db.select().from(policies).where(eq(policies.digest, digest));
  if (!row) throw new Error(`loading policy ${digest}: a round refers to it, but it is not in the database`);
  const policy = parsePolicy(row.policy);
  read.set(digest, policy);
  return policy;
}

function parsePolicy(text: string): Policy {
  return policySchema.parse(JSON.parse(text));
}
