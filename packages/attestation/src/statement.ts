import { lineSchema } from "@quorate/protocol/names";
import { type Sha256, sha256Schema } from "@quorate/protocol/digest";
import { z } from "zod";

export const statementType = "https://in-toto.io/Statement/v1";

/** A ResourceDescriptor (in-toto attestation v1) with the fields that our predicates use. */
const name = lineSchema(600);
const digest = z.strictObject({ sha256: sha256Schema });

export const namedDigestSchema = z.strictObject({ name, digest });
export type NamedDigest = z.infer<typeof namedDigestSchema>;

/**
 * An in-toto Statement v1: what is spoken of (`subject`), and what is said of it (`predicate`, whose form `predicateType` names).
 *
 *     {"_type":"https://in-toto.io/Statement/v1","predicate":{…},"predicateType":"https://slsa.dev/provenance/v1",
 *      "subject":[{"digest":{"sha256":"9f86d0…"},"name":"mailgraph_1.14-20_all.deb"}]}
 *
 * Each predicate's parser gives the subject its exact form, so here it is open.
 */
export const statementSchema = z.strictObject({
  _type: z.literal(statementType),
  subject: z
    .array(z.looseObject({ name, digest: z.record(z.string(), z.string()) }))
    .min(1)
    .max(2000),
  predicateType: z.string().max(200),
  predicate: z.record(z.string(), z.unknown()),
});
export type Statement = z.infer<typeof statementSchema>;

/** A subject, or another resource, of a name and a SHA-256. */
export function namedDigest(name: string, sha256: Sha256): NamedDigest {
  return { name, digest: { sha256 } };
}

/** A statement about `subject`; the predicate is a noun as it stands. */
export function formatPredicate(predicateType: string, subject: Statement["subject"][number], predicate: object): Statement {
  return { _type: statementType, subject: [subject], predicateType, predicate: { ...predicate } };
}
