import { readFile } from "node:fs/promises";
import { formatTlogPolicy, parseTlogPolicy, type WitnessPolicy } from "@quorate/tlog/tlog-policy";
import type { PublicKeys } from "./network-keys.ts";
import type { Settings } from "./settings.ts";

/** The group of this host's own witnesses, a majority of them; the quorum, unless witnesses that others run are to count too. */
const ownGroup = "witnesses";

/**
 * The log of an embedded network and who witnesses it: this host's own witnesses, and those of the file `foreign`, which goes on where the lines
 * of the own ones end (C2SP tlog-policy), and may name another quorum:
 *
 *     witness outside witness.example/w1+8d66cf3f+BA… https://witness.example/w1
 *     group both all witnesses outside
 *     quorum both
 *
 * @throws Error that names the file
 */
export async function loadWitnessPolicy(foreign: string, settings: Settings, keys: PublicKeys): Promise<WitnessPolicy> {
  const own = ownPolicy(settings, keys);
  const text = await readFile(foreign, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return own;
  try {
    const policy = withForeign(own, text);
    if (policy.logs.length > 1) throw new Error("it has a line log, and witnesses are all that it can add");
    return policy;
  } catch (cause) {
    throw new Error(`reading the witnesses of ${foreign}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

function ownPolicy({ ports }: Settings, keys: PublicKeys): WitnessPolicy {
  return {
    logs: [{ key: keys.log, url: `http://127.0.0.1:${ports.log}` }],
    witnesses: keys.witnesses.map(({ name, key }, index) => ({ name, key, url: `http://127.0.0.1:${ports.witnesses[index]}` })),
    groups: [{ name: ownGroup, threshold: Math.floor(keys.witnesses.length / 2) + 1, members: keys.witnesses.map(({ name }) => name) }],
    quorum: ownGroup,
  };
}

function withForeign(own: WitnessPolicy, text: string): WitnessPolicy {
  const [quorum = "", ...definitions] = formatTlogPolicy(own).trimEnd().split("\n").toReversed();
  const added = text.split("\n").map((line) => line.trimEnd());
  const hasQuorum = added.some((line) => /^\s*quorum\s/.test(line));
  return parseTlogPolicy(`${[...definitions.toReversed(), ...added, ...(hasQuorum ? [] : [quorum])].join("\n")}\n`);
}
