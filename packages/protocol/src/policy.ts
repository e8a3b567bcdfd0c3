import { z } from "zod";
import { formatCanonicalJson } from "./canonical-json.ts";
import { sha256Schema } from "./digest.ts";
import { textSchema } from "./names.ts";
import { groupKinds } from "./operator.ts";
import { ParseError } from "./parse-error.ts";

/** Predicate of `policy/v1`: the rules under which the network draws committees and reaches verdicts. Referenced by its digest. */
export const policySchema = z.strictObject({
  /** 1 for a network's first policy, and one more for each that follows. */
  version: z.int().min(1).max(1_000_000),
  /** k: how many independent operators must agree. */
  threshold: z.int().min(1).max(1000),
  /** n: how many operators are drawn for a round. */
  committeeSize: z.int().min(1).max(1000),
  /** Each rule: the agreeing operators must show at least `distinct` values of `group`. */
  diversity: z.array(z.strictObject({ group: z.enum(groupKinds), distinct: z.int().min(2).max(1000) })).max(10),
  /** Operators that share a value of one of these groups count once together. */
  countOnceBy: z.array(z.enum(groupKinds)).max(4),
  trace: z.strictObject({
    /** Per cent of the files that two traces both list which must have equal digests. */
    sharePercent: z.int().min(0).max(100),
    /** A trace with fewer files is `traceless`. */
    minimumFiles: z.int().min(1),
    /** Whether a traceless result counts. */
    countTraceless: z.boolean(),
  }),
  commitDeadlineSeconds: z.int().min(1),
  revealDeadlineSeconds: z.int().min(1),
});
export type Policy = z.infer<typeof policySchema>;
export type PolicyRules = Omit<Policy, "version">;

/** A policy as the log has it: every version has an entry, and rounds name theirs by its digest. */
export const policyVersionSchema = z.strictObject({ index: z.int().min(0), digest: sha256Schema, policy: policySchema });
export type PolicyVersion = z.infer<typeof policyVersionSchema>;

/** `GET /v1/policies`: newest first. */
export const policyListSchema = z.strictObject({ policies: z.array(policyVersionSchema) });

/** `POST /v1/policies`: the next version, in an envelope that is signed with the network's key. */
export const publishPolicySchema = z.strictObject({ envelope: textSchema(50_000) });

/** The rules of a network that says nothing else: two of three. */
export const defaultRules: PolicyRules = {
  threshold: 2,
  committeeSize: 3,
  diversity: [],
  countOnceBy: [],
  trace: { sharePercent: 80, minimumFiles: 8, countTraceless: true },
  commitDeadlineSeconds: 6 * 3600,
  revealDeadlineSeconds: 600,
};

/** Such a network's first policy. */
export const defaultPolicy: Policy = { version: 1, ...defaultRules };

const rulesFileSchema = policySchema.partial({ version: true });

/**
 * The rules of a policy from JSON text; a `version` in it is of no account. Rules that no committee could meet are refused.
 *
 * @throws ParseError
 */
export function parsePolicyRules(text: string): PolicyRules {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ParseError("rules of a policy (JSON)", text, { cause });
  }
  const parsed = rulesFileSchema.safeParse(value);
  if (!parsed.success) throw new ParseError(`rules of a policy (${z.prettifyError(parsed.error)})`, text, { cause: parsed.error });
  const { version: _version, ...rules } = parsed.data;
  const problem = unattainable(rules);
  if (problem !== undefined) throw new ParseError(`rules of a policy (${problem})`, text);
  return rules;
}

/** Why no committee could ever meet these rules; `undefined` when one could. */
export function unattainable({ threshold, committeeSize, diversity }: PolicyRules): string | undefined {
  if (committeeSize < threshold) return "committeeSize must be at least threshold, or no verdict could be reached";
  const wide = diversity.find(({ distinct }) => distinct > committeeSize);
  return wide && `${wide.distinct} values of ${wide.group} are more than a committee of ${committeeSize} can show`;
}

/** Whether two policies are alike but for their versions. */
export function hasSameRules(a: PolicyRules, b: PolicyRules): boolean {
  return formatCanonicalJson({ ...a, version: 0 }) === formatCanonicalJson({ ...b, version: 0 });
}
