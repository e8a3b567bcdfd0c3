import { z } from "zod";
import type { PackageFilter, Page } from "../store/rebuilds.ts";

/** Clients keep ids in 32 signed bits. */
export const idSchema = z.coerce.number().int().min(0).max(2_147_483_647);
export const idParamsSchema = z.object({ id: idSchema });

/** An empty value, or `-` for a release, is a value that is not given. */
const textSchema = z
  .string()
  .max(200)
  .optional()
  .transform((text) => (text === "" || text === "-" ? undefined : text));

export const pageQuerySchema = z.object({
  name: textSchema,
  version: textSchema,
  architecture: textSchema,
  distribution: textSchema,
  release: textSchema,
  component: textSchema,
  limit: z.coerce.number().int().min(1).default(1000),
  after: idSchema.optional(),
  sort: z.string().max(40).optional(),
  direction: z.enum(["Ascending", "Descending"]).default("Ascending"),
});
export type PageQuery = z.infer<typeof pageQuerySchema>;

/** A page has at most this many records, whatever is asked for: clients read on after the last one. */
const maxRecords = 1000;

export function filterOf({ name, version, architecture, distribution, release, component }: PageQuery): PackageFilter {
  return { name, version, architecture, distribution, suite: release, component };
}

/** Columns that we do not sort by are sorted by id; the order is a client's convenience, that it is one order is what paging needs. */
export function pageOf({ limit, after, sort, direction }: PageQuery): Page {
  const known = sort === "name" || sort === "version" ? sort : "id";
  return { limit: Math.min(limit, maxRecords), after, sort: known, descending: direction === "Descending" };
}
