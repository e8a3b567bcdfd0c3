import { z } from "zod";
import { sha256Of } from "./digest.ts";
import { architectureSchema, lineSchema } from "./names.ts";

declare const operatorIdBrand: unique symbol;

/** The first 32 hexadecimal digits of the SHA-256 over the operator's identity key (SubjectPublicKeyInfo, DER). */
export type OperatorId = string & { readonly [operatorIdBrand]: true };

export const operatorIdSchema = z
  .string()
  .regex(/^[0-9a-f]{32}$/, "must be 32 lower-case hexadecimal digits")
  .transform((text) => text as OperatorId);

/** A public key: SubjectPublicKeyInfo, DER, in base64. */
export const publicKeySchema = z.base64().max(2000);

export function operatorIdOf(spkiDer: Uint8Array): OperatorId {
  return sha256Of(spkiDer).slice(0, 32) as OperatorId;
}

/** What an operator belongs to; a policy's diversity rules count distinct values of one of these. */
export const groupsSchema = z.strictObject({
  organisation: lineSchema(80).optional(),
  country: z
    .string()
    .regex(/^[A-Z]{2}$/)
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
  /** Ed25519 key that signs legacy in-toto links: 32 bytes in base64. */
  linkKey: z.base64().max(100).optional(),
  groups: groupsSchema,
  architectures: z.array(architectureSchema).min(1).max(20),
  ecosystems: z
    .array(z.enum(["debian"]))
    .min(1)
    .max(10),
});
export type Enrolment = z.infer<typeof enrolmentSchema>;

/** Predicate of `operator/v1`: results of this operator that are logged after this entry do not count. */
export const revocationSchema = z.strictObject({
  action: z.literal("revoke"),
  operator: operatorIdSchema,
  reason: lineSchema(400),
});
export type Revocation = z.infer<typeof revocationSchema>;

export const operatorPredicateSchema = z.discriminatedUnion("action", [enrolmentSchema, revocationSchema]);
