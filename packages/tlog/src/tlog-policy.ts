import { ParseError } from "@quorate/protocol/parse-error";
import { boundedText } from "./bounded-text.ts";
import { type Checkpoint, verifyCheckpointNote } from "./checkpoint.ts";
import { hasControlCharacter } from "./control-character.ts";
import { parseDecimal } from "./decimal.ts";
import { equalHashes } from "./hash.ts";
import { type NoteKey, type SignedNote, formatVkey, parseNote, parseVkey, verifyKnownSignatures } from "./note.ts";
import type { NoteVerify } from "./note-verify.ts";
import { VerificationError } from "./verification-error.ts";

export type PolicyLog = { readonly key: NoteKey; readonly url?: string };
export type PolicyWitness = { readonly name: string; readonly key: NoteKey; readonly url?: string };

/** Witnesses a checkpoint when at least `threshold` of its members do; a member is a witness or a group defined before. */
export type PolicyGroup = { readonly name: string; readonly threshold: number; readonly members: readonly string[] };

/** Which logs are trusted, and which witnesses must have cosigned. `quorum` names a witness or a group, or is `none`. */
export type WitnessPolicy = {
  readonly logs: readonly PolicyLog[];
  readonly witnesses: readonly PolicyWitness[];
  readonly groups: readonly PolicyGroup[];
  readonly quorum: string;
};

/** A witness of the policy that cosigned, and when: seconds since 1970, the newest if it did more than once. */
export type Witnessed = { readonly name: string; readonly time: number };

const maxPolicyBytes = 262_144;
const maxDefinitions = 1024;

type Draft = { logs: PolicyLog[]; witnesses: PolicyWitness[]; groups: PolicyGroup[]; quorum?: string };

/**
 * A policy (C2SP tlog-policy): one definition a line, each name defined before it is used. Empty lines and lines of `#` are ignored.
 *
 *     log example.com/log+1d2b8ad5+AQ… https://log.example.com
 *     witness w1 witness.example/w1+8d66cf3f+BA… https://witness.example/w1
 *     group two-of-three 2 w1 w2 w3
 *     quorum two-of-three
 *
 * @throws ParseError naming the line
 */
export function parseTlogPolicy(body: Uint8Array | string): WitnessPolicy {
  const text = boundedText("witness policy", body, maxPolicyBytes);
  if (!text.endsWith("\n")) throw new ParseError("witness policy (every line ends in a newline)", text.slice(-100));
  const draft: Draft = { logs: [], witnesses: [], groups: [] };
  for (const line of text.slice(0, -1).split("\n")) {
    const items = line.split(/[ \t]+/).filter((item) => item !== "");
    if (/\x7f/.test(line) || hasControlCharacter(line.replaceAll("\t", " "))) throw refusal(line, "a control character");
    if (items.length > 0 && !items[0]?.startsWith("#")) define(draft, items, line);
  }
  const { quorum, ...rest } = draft;
  if (quorum === undefined) throw new ParseError("witness policy with a quorum line", text.slice(-100));
  return { ...rest, quorum };
}

/**
 * A policy's text, without comments; `parseTlogPolicy` reads the same policy from it.
 *
 * @throws ParseError for a policy that has no text, such as one with a space in a name
 */
export function formatTlogPolicy(policy: WitnessPolicy): string {
  const url = (of: { url?: string }) => (of.url === undefined ? "" : ` ${of.url}`);
  const lines = [
    ...policy.logs.map((log) => `log ${formatVkey(log.key)}${url(log)}`),
    ...policy.witnesses.map((witness) => `witness ${witness.name} ${formatVkey(witness.key)}${url(witness)}`),
    ...policy.groups.map(
      ({ name, threshold, members }) => `group ${name} ${formatThreshold(threshold, members.length)} ${members.join(" ")}`,
    ),
    `quorum ${policy.quorum}`,
  ];
  const text = `${lines.join("\n")}\n`;
  parseTlogPolicy(text);
  return text;
}

/**
 * Which of the policy's witnesses cosigned a checkpoint, and whether they are enough. A witness counts once.
 *
 * @throws VerificationError when the cosignature of one of the policy's witnesses is wrong
 */
export function evaluateWitnessQuorum(
  policy: WitnessPolicy,
  note: SignedNote,
  verify: NoteVerify,
): { satisfied: boolean; witnesses: readonly Witnessed[] } {
  const keys = policy.witnesses.map(({ key }) => key);
  const { verified } = verifyKnownSignatures(note, keys, verify);
  const witnesses = policy.witnesses.flatMap(({ name, key }) => {
    const times = verified.filter((signature) => signature.key === key).map(({ time }) => time ?? 0);
    return times.length === 0 ? [] : [{ name, time: Math.max(...times) }];
  });
  return {
    satisfied: isQuorum(
      policy,
      witnesses.map(({ name }) => name),
    ),
    witnesses,
  };
}

/**
 * A checkpoint that a log of the policy signed and that has the policy's quorum of witnesses.
 *
 * @throws ParseError for what is no checkpoint
 * @throws VerificationError with the reason
 */
export function verifyCosignedCheckpoint(
  noteText: Uint8Array | string,
  policy: WitnessPolicy,
  verify: NoteVerify,
): { checkpoint: Checkpoint; witnesses: readonly Witnessed[] } {
  const note = parseNote(noteText);
  const logKeys = policy.logs.map(({ key }) => key);
  const { checkpoint } = verifyCheckpointNote(note, logKeys, verify);
  const { satisfied, witnesses } = evaluateWitnessQuorum(policy, note, verify);
  if (!satisfied) {
    const by = witnesses.map(({ name }) => name).join(", ") || "none";
    throw new VerificationError(
      `verifying the checkpoint of ${checkpoint.origin} at size ${checkpoint.size}: cosigned by ${by}, which is not the quorum "${policy.quorum}"`,
    );
  }
  return { checkpoint, witnesses };
}

/** Whether these witnesses are the policy's quorum, or more. */
export function isQuorum(policy: WitnessPolicy, names: Iterable<string>): boolean {
  if (policy.quorum === "none") return true;
  const witnessed = new Set(names);
  // A group's members are defined before it: one pass settles all.
  for (const { name, threshold, members } of policy.groups) {
    if (members.filter((member) => witnessed.has(member)).length >= threshold) witnessed.add(name);
  }
  return witnessed.has(policy.quorum);
}

function define(draft: Draft, [keyword, ...items]: string[], line: string): void {
  if (draft.logs.length + draft.witnesses.length + draft.groups.length > maxDefinitions) throw refusal(line, "too many definitions");
  switch (keyword) {
    case "log":
      return void draft.logs.push(parseLog(draft, items, line));
    case "witness":
      return void draft.witnesses.push(parseWitness(draft, items, line));
    case "group":
      return void draft.groups.push(parseGroup(draft, items, line));
    case "quorum":
      draft.quorum = parseQuorum(draft, items, line);
      return;
    default:
      throw refusal(line, "starts with none of log, witness, group, quorum");
  }
}

function parseLog({ logs }: Draft, [vkey = "", url, ...more]: string[], line: string): PolicyLog {
  if (more.length > 0) throw refusal(line, "more than a key and a URL");
  const key = parseVkey(vkey);
  if (key.algorithm === "cosignature") throw refusal(line, "a log's key must be of type Ed25519 (0x01) or ML-DSA-44 (0x06)");
  refuseDuplicateKey(logs, key, line);
  return url === undefined ? { key } : { key, url };
}

function parseWitness(draft: Draft, [name = "", vkey = "", url, ...more]: string[], line: string): PolicyWitness {
  if (more.length > 0) throw refusal(line, "more than a name, a key and a URL");
  refuseDefinedName(draft, name, line);
  const key = parseVkey(vkey);
  if (key.algorithm === "ed25519") throw refusal(line, "a witness's key must be of type Ed25519 cosignature (0x04) or ML-DSA-44 (0x06)");
  refuseDuplicateKey(draft.witnesses, key, line);
  return url === undefined ? { name, key } : { name, key, url };
}

function parseGroup(draft: Draft, [name = "", share = "", ...members]: string[], line: string): PolicyGroup {
  refuseDefinedName(draft, name, line);
  const taken = new Set(draft.groups.flatMap((group) => group.members));
  for (const member of members) {
    if (!isDefined(draft, member)) throw refusal(line, `${member} is not defined on a line before`);
    if (taken.has(member)) throw refusal(line, `${member} is a member twice`);
    taken.add(member);
  }
  if (members.length === 0) throw refusal(line, "a group has at least one member");
  return { name, threshold: parseThreshold(share, members.length, line), members };
}

function parseQuorum(draft: Draft, [name = "", ...more]: string[], line: string): string {
  if (more.length > 0) throw refusal(line, "more than a name");
  if (draft.quorum !== undefined) throw refusal(line, "a second quorum");
  if (name !== "none" && !isDefined(draft, name)) throw refusal(line, `${name} is not defined on a line before`);
  return name;
}

function parseThreshold(share: string, members: number, line: string): number {
  if (share === "all") return members;
  if (share === "any") return 1;
  const threshold = parseDecimal("witness policy threshold (all, any or a number)", share);
  if (threshold < 1 || threshold > members) throw refusal(line, `a threshold of ${threshold} for ${members} members`);
  return threshold;
}

function formatThreshold(threshold: number, members: number): string {
  if (threshold === members) return "all";
  return threshold === 1 ? "any" : String(threshold);
}

function isDefined({ witnesses, groups }: Draft, name: string): boolean {
  return [...witnesses, ...groups].some((defined) => defined.name === name);
}

function refuseDefinedName(draft: Draft, name: string, line: string): void {
  if (name === "" || name === "none" || isDefined(draft, name)) throw refusal(line, `the name ${JSON.stringify(name)} is taken or missing`);
}

function refuseDuplicateKey(others: readonly { key: NoteKey }[], key: NoteKey, line: string): void {
  if (others.some((other) => equalHashes(other.key.publicKey, key.publicKey))) throw refusal(line, "its public key is on a line before");
}

function refusal(line: string, reason: string): ParseError {
  return new ParseError(`witness policy line (${reason})`, line);
}
