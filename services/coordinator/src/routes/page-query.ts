import { z } from "zod";

export const pageLimitSchema = z.coerce.number().int().min(1).max(200).default(50);
export const pageAfterDescription = "`next` of the page before";

/** A page of what has numbers. */
export const numberedPageSchema = z.strictObject({
  limit: pageLimitSchema,
  after: z.coerce.number().int().min(1).max(2_147_483_647).optional().describe(pageAfterDescription),
});
