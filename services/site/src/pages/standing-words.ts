import type { VerdictInput } from "@quorate/protocol/verdict";

/** Why a result did not count, for people. */
export const standingWords: Readonly<Record<Exclude<VerdictInput["standing"], "counted">, string>> = {
  "not-enrolled": "its operator was not enrolled",
  "not-in-committee": "its operator was not drawn",
  "not-committed": "not committed to before the first reveal",
  duplicate: "repeats an earlier one",
  "wrong-environment": "of another environment",
  "trace-contradicted": "its build trace contradicts the others'",
  uncorroborated: "no other build trace to compare with",
  traceless: "no build trace to speak of",
};
