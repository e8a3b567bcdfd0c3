import { isKeyless, parseKeylessIdentity } from "@quorate/attestation/identity";
import { parseP256Key } from "@quorate/attestation/p256";
import { type OperatorId, operatorIdOf } from "@quorate/protocol/operator";
import { ParseError } from "@quorate/protocol/parse-error";
import { formatBase64, parseBase64 } from "@quorate/tlog/base64";
import { boundedText } from "@quorate/tlog/bounded-text";
import { parseDecimal } from "@quorate/tlog/decimal";
import { type WitnessPolicy, formatTlogPolicy, parseTlogPolicy } from "@quorate/tlog/tlog-policy";

export type TrustedParty = { readonly name: string; readonly key: Uint8Array };
export type TrustedOperator = TrustedParty & { readonly id: OperatorId };

/** Whom a reader believes: which log and witnesses that nothing was forked, and which operators, how many of them, that a build is right. */
export type TrustPolicy = {
  readonly witnessPolicy: WitnessPolicy;
  readonly network: TrustedParty;
  readonly operators: readonly TrustedOperator[];
  /** How many of `operators` must agree. */
  readonly threshold: number;
};

const maxPolicyBytes = 262_144;

type Draft = { network?: TrustedParty; operators: TrustedOperator[]; threshold?: number; tlogLines: string[] };

/**
 * A reader's policy file: the lines of a C2SP tlog-policy, and `network`, `operator` and `threshold` lines. Keys of the network and of
 * operators are P-256, SubjectPublicKeyInfo in base64; an operator may be a keyless identity instead, its JSON in base64. Empty lines and lines of `#` are ignored.
 *
 *     log log.example+1d2b8ad5+AQ… https://log.example
 *     witness w1 witness.example/w1+8d66cf3f+BA…
 *     quorum w1
 *     network example MFkwEwYHKoZIzj0CAQYI…
 *     operator ada MFkwEwYHKoZIzj0CAQYI…
 *     operator bert MFkwEwYHKoZIzj0CAQYI…
 *     threshold 2
 *
 * @throws ParseError naming the line
 */
export function parseTrustPolicy(body: Uint8Array | string): TrustPolicy {
  const text = boundedText("trust policy", body, maxPolicyBytes);
  if (!text.endsWith("\n")) throw new ParseError("trust policy (every line ends in a newline)", text.slice(-100));
  const draft: Draft = { operators: [], tlogLines: [] };
  for (const line of text.slice(0, -1).split("\n")) define(draft, line);
  const { network, operators, threshold } = draft;
  if (network === undefined) throw new ParseError("trust policy with a network line", text.slice(-100));
  if (threshold === undefined) throw new ParseError("trust policy with a threshold line", text.slice(-100));
  if (threshold < 1 || threshold > operators.length) {
    throw new ParseError(
      "trust policy whose threshold is between 1 and its number of operators",
      `threshold ${threshold} of ${operators.length}`,
    );
  }
  return { witnessPolicy: parseTlogPolicy(`${draft.tlogLines.join("\n")}\n`), network, operators, threshold };
}

/**
 * The log and the witnesses of a reader's policy file; the file may as well be a plain C2SP tlog-policy.
 *
 * @throws ParseError naming the line
 */
export function parseTlogLines(body: Uint8Array | string): WitnessPolicy {
  const text = boundedText("trust policy", body, maxPolicyBytes);
  return parseTlogPolicy(text.replaceAll(/^[ \t]*(?:network|operator|threshold)[ \t].*\n/gm, ""));
}

/**
 * The network of a reader's policy file, if it names one.
 *
 * @throws ParseError naming the line
 */
export function parseNetworkLine(body: Uint8Array | string): TrustedParty | undefined {
  const text = boundedText("trust policy", body, maxPolicyBytes);
  const draft: Draft = { operators: [], tlogLines: [] };
  for (const line of text.match(/^[ \t]*network[ \t].*$/gm) ?? []) define(draft, line);
  return draft.network;
}

/** A policy's text, without comments; `parseTrustPolicy` reads the same policy from it. @throws ParseError for a policy that has no text */
export function formatTrustPolicy({ witnessPolicy, network, operators, threshold }: TrustPolicy): string {
  const lines = [
    `network ${network.name} ${formatBase64(network.key)}`,
    ...operators.map(({ name, key }) => `operator ${name} ${formatBase64(key)}`),
    `threshold ${threshold}`,
  ];
  const text = `${formatTlogPolicy(witnessPolicy)}${lines.join("\n")}\n`;
  parseTrustPolicy(text);
  return text;
}

function define(draft: Draft, line: string): void {
  const [keyword, ...items] = line.split(/[ \t]+/).filter((item) => item !== "");
  switch (keyword) {
    case "network":
      if (draft.network !== undefined) throw refusal(line, "a second network");
      draft.network = parseParty(items, line, parseP256Key);
      return;
    case "operator":
      draft.operators.push(parseOperator(draft, items, line));
      return;
    case "threshold":
      draft.threshold = parseThreshold(draft, items, line);
      return;
    default:
      draft.tlogLines.push(line);
  }
}

function parseParty([name, encoded, ...more]: string[], line: string, check: (key: Uint8Array) => void): TrustedParty {
  if (name === undefined || encoded === undefined || more.length > 0) throw refusal(line, "a name and a key are needed");
  const key = parseBase64("key in a trust policy", encoded);
  check(key);
  return { name, key };
}

function parseOperator({ operators, network }: Draft, items: string[], line: string): TrustedOperator {
  const { name, key } = parseParty(items, line, (key) => (isKeyless(key) ? parseKeylessIdentity(key) : parseP256Key(key)));
  const id = operatorIdOf(key);
  if (operators.some((other) => other.id === id)) throw refusal(line, "its key is on a line before");
  if (operators.some((other) => other.name === name)) throw refusal(line, "its name is on a line before");
  if (network !== undefined && operatorIdOf(network.key) === id) throw refusal(line, "the network is no operator");
  return { name, key, id };
}

function parseThreshold(draft: Draft, [threshold = "", ...more]: string[], line: string): number {
  if (draft.threshold !== undefined) throw refusal(line, "a second threshold");
  if (more.length > 0) throw refusal(line, "more than a number");
  return parseDecimal("threshold of a trust policy", threshold);
}

function refusal(line: string, reason: string): ParseError {
  return new ParseError(`trust policy line (${reason})`, line);
}
