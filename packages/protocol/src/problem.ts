import { z } from "zod";

/** RFC 9457 problem details. `type` is stable: programs decide on it, people read `title` and `detail`. */
export const problemSchema = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int().min(400).max(599),
  detail: z.string().optional(),
  /** What does not fit a request's schema. */
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});
export type Problem = z.infer<typeof problemSchema>;
