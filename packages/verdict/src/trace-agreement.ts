import type { Policy } from "@quorate/protocol/policy";

/** What two build traces say of each other. */
export type TraceAgreement =
  | "corroborates"
  | "contradicts"
  /** They have too few files in common: some are the same in any build. */
  | "says-little";

/** Whether two traces corroborate each other, by how many files both list and how many of those have equal digests. */
export function agreementOf(
  { common, equal }: { common: number; equal: number },
  { sharePercent, minimumFiles }: Pick<Policy["trace"], "sharePercent" | "minimumFiles">,
): TraceAgreement {
  if (common < minimumFiles) return "says-little";
  return equal * 100 >= sharePercent * common ? "corroborates" : "contradicts";
}
