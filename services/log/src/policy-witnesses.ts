import { formatVkey } from "@quorate/tlog/note";
import type { NoteKey } from "@quorate/tlog/note";
import { isQuorum } from "@quorate/tlog/tlog-policy";
import type { WitnessPolicy } from "@quorate/tlog/tlog-policy";
import type { LogEvents } from "./events.ts";
import { WitnessClient } from "./witness-client.ts";

/**
 * The witnesses of a policy that the log asks: those with a URL.
 * @throws Error for a policy under which this log could never publish
 */
export function policyWitnesses(policy: WitnessPolicy, logKey: NoteKey, events: LogEvents): WitnessClient[] {
  const own = formatVkey(logKey);
  if (!policy.logs.some(({ key }) => formatVkey(key) === own)) {
    throw new Error(`starting the log: the witness policy has no line for this log's key; add: log ${own}`);
  }
  const asked = policy.witnesses.flatMap(({ name, key, url }) => {
    if (url === undefined) {
      events.witnessWithoutUrl(name);
      return [];
    }
    if (!isHttpUrl(url))
      throw new Error(`starting the log: the witness policy's URL of ${name} is ${url}; it must begin with https: or http:`);
    return [new WitnessClient({ name, key, url })];
  });
  if (
    !isQuorum(
      policy,
      asked.map(({ name }) => name),
    )
  ) {
    throw new Error(
      `starting the log: the witness policy's quorum "${policy.quorum}" cannot be reached by witnesses that have a URL; add theirs, or change it`,
    );
  }
  return asked;
}

function isHttpUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return (url?.protocol === "https:" || url?.protocol === "http:") && url.username === "" && url.search === "" && url.hash === "";
}
