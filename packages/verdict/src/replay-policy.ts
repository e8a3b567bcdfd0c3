import type { Sha256 } from "@quorate/protocol/digest";
import type { Policy } from "@quorate/protocol/policy";
import { type ReplayState, demand } from "./replay-state.ts";

/** Checks a policy's entry against those before it, and takes it into the state: from here on rounds are under it. @throws ReplayError */
export function replayPolicy(state: ReplayState, { index, digest, policy }: { index: number; digest: Sha256; policy: Policy }): void {
  const last = policyInForce(state)?.policy.version ?? 0;
  const reason = `the policy is version ${policy.version}, and the one before it is ${last === 0 ? "none" : `version ${last}`}`;
  demand(policy.version === last + 1, { index, rule: "policy", reason });
  state.policies.set(digest, policy);
}

/** The newest policy so far. */
export function policyInForce({ policies }: ReplayState): { digest: Sha256; policy: Policy } | undefined {
  const [digest, policy] = [...policies].at(-1) ?? [];
  return digest && policy && { digest, policy };
}
