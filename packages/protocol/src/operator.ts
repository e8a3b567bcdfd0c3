import { z } from "zod";
import { sha256Of } from "./digest.ts";
import { architectureSchema, hostnameSchema, lineSchema } from "./names.ts";

export const operatorIdSchema = z
  .string()
  .regex(/^[0-9a-f]{32}$/, "must be 32 lower-case hexadecimal digits")
  .meta({ examples: ["4829feed642af980e39e5a89816c284d"] })
  .brand<"OperatorId">();

/** The first 32 hexadecimal digits of the SHA-256 over the operator's identity key (SubjectPublicKeyInfo, DER). */
export type OperatorId = z.infer<typeof operatorIdSchema>;

/** A public key: SubjectPublicKeyInfo, DER, in base64. */
export const publicKeySchema = z.base64().max(2000);

/** An Ed25519 public key: 32 bytes in base64. */
export const linkKeySchema = z.string().regex(/^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/, "must be 32 bytes in base64");

/** The id of the operator whose first identity key this is: the id stays when the key is changed. */
export function operatorIdOf(spkiDer: Uint8Array): OperatorId {
  return sha256Of(spkiDer).slice(0, 32) as OperatorId;
}

/** What an operator belongs to; a policy's diversity rules count distinct values of one of these. */
export const groupsSchema = z.strictObject({
  organisation: lineSchema(80).optional(),
  country: z
    .string()
    .regex(/^[A-Z]{2}$/, "must be two capital letters, such as SE")
    .optional(),
  funder: lineSchema(80).optional(),
  hosting: lineSchema(80).optional(),
});
export type Groups = z.infer<typeof groupsSchema>;

export const groupKinds = ["organisation", "country", "funder", "hosting"] as const;

/** Predicate of `operator/v1`: an operator says who it is; the network countersigns. Statement subject: the operator's identity key. */
export const enrolmentSchema = z.strictObject({
  action: z.literal("enrol"),
  operator: operatorIdSchema,
  name: lineSchema(80),
  contact: lineSchema(200).optional(),
  identityKey: publicKeySchema,
  /** Signs legacy in-toto links. */
  linkKey: linkKeySchema.optional(),
  /** Under which the network answers for this operator alone; no address of the operator's machines. */
  hostname: hostnameSchema.optional(),
  /** Verifier key (vkey) of the witness that this operator runs. */
  witnessVkey: lineSchema(500).optional(),
  groups: groupsSchema,
  architectures: z.array(architectureSchema).min(1).max(20),
  ecosystems: z
    .array(z.enum(["debian"]))
    .min(1)
    .max(10),
});
export type Enrolment = z.infer<typeof enrolmentSchema>;

/** Predicate of `operator/v1`: from this entry on the operator signs with another key. Statement subject: the new identity key. */
export const rotationSchema = z.strictObject({
  action: z.literal("rotate"),
  operator: operatorIdSchema,
  identityKey: publicKeySchema,
  /** Absent: the link key stays. */
  linkKey: linkKeySchema.optional(),
});
export type Rotation = z.infer<typeof rotationSchema>;

/** Predicate of `operator/v1`: results of this operator that are logged after this entry do not count. */
export const revocationSchema = z.strictObject({
  action: z.literal("revoke"),
  operator: operatorIdSchema,
  reason: lineSchema(400),
});
export type Revocation = z.infer<typeof revocationSchema>;

export const operatorPredicateSchema = z.discriminatedUnion("action", [enrolmentSchema, rotationSchema, revocationSchema]);
