import { existsSync } from "node:fs";
import { deriveHostArchives } from "@quorate/archive/host-archive";
import { type Archive, parseArchives } from "@quorate/archive/archive-config";
import { defaultRules, type PolicyRules } from "@quorate/protocol/policy";
import { writeDurableFile } from "@quorate/service/durable-file";
import { formatVkey } from "@quorate/tlog/note";
import { formatTrustPolicy, type TrustPolicy } from "@quorate/verdict/trust-policy";
import { formatTlogPolicy, type WitnessPolicy } from "@quorate/tlog/tlog-policy";
import type { Layout } from "./layout.ts";
import type { PublicKeys } from "./network-keys.ts";
import type { Settings } from "./settings.ts";
import { loadWitnessPolicy } from "./witness-policy.ts";

export type NetworkFileOptions = {
  layout: Layout;
  settings: Settings;
  keys: PublicKeys;
  /** What the network's policy says otherwise than the default. */
  policy: Partial<PolicyRules>;
  /** Replaces the base URL of the host's archive. */
  mirror: string | undefined;
  /** Text of an archives file, instead of what the host's apt uses. */
  archives: string | undefined;
};

/** Writes the files that services and verifiers read, from the settings and keys: the same again at each start unless those changed. */
export async function writeNetworkFiles(options: NetworkFileOptions): Promise<void> {
  const { layout, settings, keys } = options;
  const policy = embeddedPolicy(settings.operators.length, options.policy);
  const witnessPolicy = await loadWitnessPolicy(layout.foreignWitnesses, settings, keys);
  await Promise.all([
    writeDurableFile(layout.witnessPolicy, formatTlogPolicy(witnessPolicy)),
    writeDurableFile(layout.witnessLogs, `log ${formatVkey(keys.log)}\n`),
    writeDurableFile(layout.networkPolicy, `${JSON.stringify(policy, null, 2)}\n`),
    writeDurableFile(layout.trustPolicy, formatTrustPolicy(trustPolicyOf(options, witnessPolicy, policy.threshold))),
    writeArchives(options),
  ]);
}

/** A majority of this host's operators, all of which are drawn. */
export function embeddedPolicy(operators: number, changes: Partial<PolicyRules>): PolicyRules {
  return { ...defaultRules, committeeSize: operators, threshold: Math.floor(operators / 2) + 1, ...changes };
}

/** Without URLs: it is for whoever verifies, anywhere and offline. */
function trustPolicyOf({ settings, keys }: NetworkFileOptions, witnessPolicy: WitnessPolicy, threshold: number): TrustPolicy {
  const { logs, witnesses, ...quorum } = witnessPolicy;
  return {
    witnessPolicy: { logs: logs.map(({ key }) => ({ key })), witnesses: witnesses.map(({ name, key }) => ({ name, key })), ...quorum },
    network: { name: settings.origin, key: keys.network },
    operators: keys.operators.map(({ name, firstKey, id }) => ({ name, key: firstKey, id })),
    threshold,
  };
}

async function writeArchives({ layout, mirror, archives }: NetworkFileOptions): Promise<void> {
  if (archives === undefined) return writeHostArchives({ path: layout.archives, mirror });
  await writeDurableFile(layout.archives, `${JSON.stringify(parseArchives(archives), null, 2)}\n`);
}

/** The archives that this host's apt uses. A file that is there is kept, unless there is a mirror to use instead: it may have been edited. */
export async function writeHostArchives({ path, mirror }: { path: string; mirror: string | undefined }): Promise<void> {
  if (mirror === undefined && existsSync(path)) return;
  await writeDurableFile(path, `${JSON.stringify(await hostArchives(mirror), null, 2)}\n`);
}

async function hostArchives(mirror: string | undefined): Promise<Archive[]> {
  const [first, ...others] = await deriveHostArchives();
  return first === undefined || mirror === undefined ? [...(first ? [first] : []), ...others] : [{ ...first, url: mirror }, ...others];
}
