import { readFile } from "node:fs/promises";
import { policyDigestOf } from "@quorate/attestation/log-statement";
import type { Sha256 } from "@quorate/protocol/digest";
import { entryKey } from "@quorate/protocol/entry";
import { defaultPolicy, type Policy, policySchema } from "@quorate/protocol/policy";
import { z } from "zod";
import type { Database } from "./database.ts";
import type { NetworkLog } from "./network-log.ts";
import { saveEntry } from "./store/entries.ts";
import { hasPolicy, savePolicy } from "./store/policies.ts";

/** The policy in a JSON file, or the default one. @throws Error that names what is wrong in the file */
export async function loadNetworkPolicy(path: string | undefined): Promise<Policy> {
  if (path === undefined) return defaultPolicy;
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new Error(`reading the policy file ${path} (POLICY_FILE) failed`, { cause });
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Error(`reading the policy file ${path}: it is not JSON`, { cause });
  }
  const parsed = policySchema.safeParse(value);
  if (!parsed.success) throw new Error(`reading the policy file ${path}: ${z.prettifyError(parsed.error)}`);
  if (parsed.data.committeeSize < parsed.data.threshold) {
    throw new Error(`reading the policy file ${path}: committeeSize must be at least threshold, or no verdict could be reached`);
  }
  return parsed.data;
}

/** Logs a policy unless it is logged already: rounds refer to it by its digest. */
export async function ensurePolicyLogged({ db, log }: { db: Database; log: NetworkLog }, policy: Policy): Promise<Sha256> {
  const digest = policyDigestOf(policy);
  if (await hasPolicy(db, digest)) return digest;
  const { entry } = await log.appendSigned({ kind: "policy", policy }, { key: entryKey.policy(digest), wait: "published" });
  await db.transaction(async (tx) => {
    await saveEntry(tx, entry);
    await savePolicy(tx, { digest, policy, index: entry.index });
  });
  return digest;
}
