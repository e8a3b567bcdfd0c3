import { readFile } from "node:fs/promises";
import { verifyEnvelope } from "@quorate/attestation/dsse";
import { parseEntry, policyDigestOf } from "@quorate/attestation/log-statement";
import type { VerifySignature } from "@quorate/attestation/p256";
import { entryKey } from "@quorate/protocol/entry";
import { ParseError } from "@quorate/protocol/parse-error";
import {
  defaultRules,
  hasSameRules,
  parsePolicyRules,
  type Policy,
  type PolicyRules,
  type PolicyVersion,
  unattainable,
} from "@quorate/protocol/policy";
import { utf8 } from "@quorate/protocol/utf8";
import { ProblemError } from "@quorate/service/problem";
import { signStatement } from "@quorate/signing/envelope";
import type { P256Signer } from "@quorate/signing/p256-key";
import { VerificationError } from "@quorate/tlog/verification-error";
import type { Database } from "./database.ts";
import type { NetworkLog } from "./network-log.ts";
import type { PolicyTurns } from "./policy-turns.ts";
import { saveEntry } from "./store/entries.ts";
import { loadPolicyVersions, loadUnloggedPolicies, savePolicy, savePolicyLogged } from "./store/policies.ts";

type Dependencies = { db: Database; log: NetworkLog; networkKey: Pick<P256Signer, "sign" | "spki"> };

/** The rules in a JSON file, or the default ones. @throws Error that names what is wrong in the file */
export async function loadPolicyRules(path: string | undefined): Promise<PolicyRules> {
  if (path === undefined) return defaultRules;
  try {
    return parsePolicyRules(await readFile(path, "utf8"));
  } catch (cause) {
    throw new Error(`reading the policy file ${path} (POLICY_FILE) failed`, { cause });
  }
}

/**
 * Makes a network's log have a policy: logs what an earlier process began to log, and then these rules, unless they were in force before.
 * In that case whatever has been published since stands.
 */
export async function ensurePolicyLogged(dependencies: Dependencies, rules: PolicyRules): Promise<void> {
  const { db, networkKey } = dependencies;
  for (const policy of await loadUnloggedPolicies(db)) await logPolicy(dependencies, policy, signPolicy(policy, networkKey));
  const versions = await loadPolicyVersions(db);
  if (versions.some(({ policy }) => hasSameRules(policy, rules))) return;
  const policy = { ...rules, version: (versions[0]?.policy.version ?? 0) + 1 };
  await logPolicy(dependencies, policy, signPolicy(policy, networkKey));
}

export type PublishPolicy = (envelope: string) => Promise<PolicyVersion>;

/** Takes the next version of the policy, signed with the network's key: that signature is all the authority that it takes. */
export function createPublishPolicy(dependencies: Dependencies & { turns: PolicyTurns; verify: VerifySignature }): PublishPolicy {
  return async (text) => {
    const { policy, envelope } = verifyPolicy(text, dependencies);
    return dependencies.turns.publish(async () => {
      const versions = await loadPolicyVersions(dependencies.db);
      const known = versions.find(({ digest }) => digest === policyDigestOf(policy));
      if (known) return known;
      const newest = versions[0]?.policy.version ?? 0;
      if (policy.version === newest + 1) return logPolicy(dependencies, policy, envelope);
      const detail = `the newest policy is version ${newest}, and this is version ${policy.version}; publish version ${newest + 1}`;
      throw new ProblemError(409, "not-the-next-version", detail);
    });
  };
}

function verifyPolicy(
  text: string,
  { networkKey, verify }: Pick<Dependencies, "networkKey"> & { verify: VerifySignature },
): { policy: Policy; envelope: Uint8Array } {
  try {
    const bytes = utf8(text);
    const { statement, envelope } = parseEntry(bytes);
    if (statement.kind !== "policy") throw new ParseError("policy statement", statement.kind);
    const problem = unattainable(statement.policy);
    if (problem !== undefined) throw new ParseError("policy that a committee can meet", problem);
    verifyEnvelope(envelope, [networkKey.spki], verify);
    return { policy: statement.policy, envelope: bytes };
  } catch (error) {
    if (!(error instanceof ParseError || error instanceof VerificationError)) throw error;
    const detail = `the policy cannot be taken: ${error.message}; sign it with the network's key`;
    throw new ProblemError(422, "malformed-policy", detail, { cause: error });
  }
}

/** It is written down before it is logged: a coordinator that stops in between finishes it before it draws another round. */
async function logPolicy({ db, log }: Dependencies, policy: Policy, envelope: Uint8Array): Promise<PolicyVersion> {
  const digest = policyDigestOf(policy);
  await savePolicy(db, { digest, policy });
  const { entry } = await log.append({ key: entryKey.policy(digest), kind: "policy", envelope, wait: "published" });
  await db.transaction(async (tx) => {
    await saveEntry(tx, entry);
    await savePolicyLogged(tx, digest, entry.index);
  });
  return { index: entry.index, digest, policy };
}

function signPolicy(policy: Policy, networkKey: Dependencies["networkKey"]): Uint8Array {
  return signStatement({ kind: "policy", policy }, [networkKey]);
}
