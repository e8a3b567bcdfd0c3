import { z } from "zod";
import { architectureSchema, lineSchema, textSchema } from "./names.ts";
import { groupsSchema, operatorIdSchema } from "./operator.ts";

/**
 * `POST /v1/operators`: an enrolment, a change of keys or a revocation, signed by the operator. An enrolment that comes with an invitation
 * code is admitted at once; without one it waits for the network's operator.
 */
export const operatorRequestSchema = z.strictObject({ envelope: textSchema(100_000), invitation: textSchema(512).optional() });
export type OperatorRequest = z.infer<typeof operatorRequestSchema>;

export const operatorStates = ["pending", "refused", "admitted", "revoked"] as const;
export type OperatorState = (typeof operatorStates)[number];

/** When the connections end whose credentials have: at once, or, while NATS is away, as soon as it is back. */
export const connectionsEndSchema = z.enum(["now", "later"]);
export type ConnectionsEnd = z.infer<typeof connectionsEndSchema>;

/** An operator as the API shows it. */
export const operatorViewSchema = z.strictObject({
  operator: operatorIdSchema,
  state: z.enum(operatorStates),
  name: z.string(),
  groups: groupsSchema,
  architectures: z.array(architectureSchema),
  hostname: z.string().optional(),
  /** The first identity key: its digest is the operator's id. */
  firstKey: z.string(),
  identityKey: z.string(),
  linkKey: z.string().optional(),
  /** Its changes of keys, in the order of the log. */
  rotations: z.array(z.strictObject({ index: z.int(), identityKey: z.string() })).optional(),
  /** Of its entries in the log. */
  enrolledIndex: z.int().optional(),
  revokedIndex: z.int().optional(),
  /** Why it was refused. */
  reason: z.string().optional(),
  /** In the answer to a change of keys or a revocation. */
  connectionsEnd: connectionsEndSchema.optional(),
});
export type OperatorView = z.infer<typeof operatorViewSchema>;

export const operatorListSchema = z.strictObject({ operators: z.array(operatorViewSchema) });

/** `POST /v1/operators/:id/decision`: what the network's operator decides, with the network's token. */
export const operatorDecisionSchema = z.discriminatedUnion("decision", [
  z.strictObject({ decision: z.literal("approve") }),
  z.strictObject({ decision: z.literal("refuse"), reason: lineSchema(400) }),
  z.strictObject({ decision: z.literal("revoke"), reason: lineSchema(400) }),
]);
export type OperatorDecision = z.infer<typeof operatorDecisionSchema>;
