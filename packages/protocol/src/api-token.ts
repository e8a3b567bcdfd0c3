import { z } from "zod";

/** What a project's API token opens: new submissions, what the project has submitted, and where it is told of verdicts. */
export const tokenScopes = ["submit", "read", "webhooks"] as const;
export const tokenScopeSchema = z.enum(tokenScopes);
export type TokenScope = z.infer<typeof tokenScopeSchema>;

/** Whoever submits under one name, such as a distribution's team: quotas and lists are a project's, over all of its tokens. */
export const projectSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9.+-]{0,62}$/, "must be lower-case letters, digits and .+- (63 at most), and begin with a letter or digit")
  .meta({ examples: ["debian-qa"] });

export const tokenIdSchema = z.uuid();

/** `POST /v1/tokens`: a new token of a project. */
export const tokenRequestSchema = z.strictObject({
  project: projectSchema,
  scopes: z.array(tokenScopeSchema).min(1).max(tokenScopes.length),
  /** Without it the token is valid until it is revoked. */
  expiresAt: z.iso.datetime().optional(),
});
export type TokenRequest = z.infer<typeof tokenRequestSchema>;

/** A token as the API shows it; its secret is in the answer that made it and nowhere else. */
export const tokenViewSchema = z.strictObject({
  id: tokenIdSchema,
  project: projectSchema,
  scopes: z.array(tokenScopeSchema),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().optional(),
  revokedAt: z.iso.datetime().optional(),
});
export type TokenView = z.infer<typeof tokenViewSchema>;

export const newTokenSchema = tokenViewSchema.extend({ secret: z.string() });
export type NewToken = z.infer<typeof newTokenSchema>;

export const tokenListSchema = z.strictObject({ tokens: z.array(tokenViewSchema) });
