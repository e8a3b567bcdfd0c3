import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { WitnessPolicy } from "@quorate/tlog/tlog-policy";
import { parseNetworkLine, parseTlogLines, parseTrustPolicy, type TrustedParty, type TrustPolicy } from "@quorate/verdict/trust-policy";
import { CommandError, errorLine } from "./command-error.ts";
import { type ConnectionOptions, dataDirectoryOf } from "./connection.ts";
import type { CommandContext } from "./context.ts";

export type PolicyOptions = ConnectionOptions & { policy?: string | undefined };

/** The policy that `--policy` names, or the one in the data directory. */
export function loadTrustPolicy(options: PolicyOptions, context: CommandContext): Promise<TrustPolicy> {
  return loadPolicy(options, context, parseTrustPolicy);
}

/** As `loadTrustPolicy`, with its text: what was concluded under a policy is kept with it. */
export function loadTrustPolicyText(options: PolicyOptions, context: CommandContext): Promise<{ text: Uint8Array; policy: TrustPolicy }> {
  return loadPolicy(options, context, (text) => ({ text, policy: parseTrustPolicy(text) }));
}

/** Its log and witnesses, for commands that look no further; a plain tlog-policy is enough for them. */
export function loadTlogPolicy(options: PolicyOptions, context: CommandContext): Promise<WitnessPolicy> {
  return loadPolicy(options, context, parseTlogLines);
}

/** The network whose log it is, if the policy says so. */
export function loadTrustedNetwork(options: PolicyOptions, context: CommandContext): Promise<TrustedParty | undefined> {
  return loadPolicy(options, context, parseNetworkLine);
}

async function loadPolicy<Policy>(options: PolicyOptions, { env }: CommandContext, parse: (text: Uint8Array) => Policy): Promise<Policy> {
  const path = options.policy ?? join(dataDirectoryOf(options, env), "policy");
  try {
    return parse(await readFile(path));
  } catch (cause) {
    throw new CommandError(`reading the policy ${path}: ${errorLine(cause)}; give --policy FILE: whose log it is, is for you to say`, {
      cause,
    });
  }
}
