import type { Enrolment } from "@quorate/protocol/operator";
import type { Policy } from "@quorate/protocol/policy";

type Kind = Policy["countOnceBy"][number];

/**
 * Whether at least `needed` of these operators are independent of each other: no two of them share a value of a group that the policy
 * counts once. Whoever names no value of a group shares it with nobody.
 *
 * This asks for the largest set that is pairwise independent, and not for the number of clusters that sharing makes: one more operator
 * that ties two clusters together would otherwise take a vote away, and evidence must only ever add.
 */
export function hasIndependent(operators: readonly Enrolment[], needed: number, countOnceBy: readonly Kind[]): boolean {
  const distinct = [...new Map(operators.map((operator) => [operator.operator, operator])).values()];
  if (distinct.length < needed || countOnceBy.some((kind) => countValues(distinct, kind) < needed)) return false;
  return countOnceBy.length < 2 || findIndependent(distinct, needed, countOnceBy);
}

/** Whether two operators are counted once together. */
export function countOnce(a: Enrolment, b: Enrolment, countOnceBy: readonly Kind[]): boolean {
  return a.operator === b.operator || countOnceBy.some((kind) => a.groups[kind] !== undefined && a.groups[kind] === b.groups[kind]);
}

/** Whether these operators show as many values as each diversity rule wants. */
export function isDiverse(operators: readonly Enrolment[], diversity: Policy["diversity"]): boolean {
  return diversity.every(({ group, distinct }) => shownValues(operators, group) >= distinct);
}

/** How many values of a group these operators show; no value shows nothing. */
export function shownValues(operators: readonly Enrolment[], kind: Kind): number {
  return new Set(operators.map(({ groups }) => groups[kind]).filter((value) => value !== undefined)).size;
}

function countValues(operators: readonly Enrolment[], kind: Kind): number {
  return new Set(operators.map(({ groups, operator }) => groups[kind] ?? `:${operator}`)).size;
}

/** Some largest independent set holds the operator with the fewest ties, or one that it is tied to. */
function findIndependent(operators: readonly Enrolment[], needed: number, countOnceBy: readonly Kind[]): boolean {
  if (needed <= 0) return true;
  if (operators.length < needed) return false;
  const ties = operators.map((operator) => operators.filter((other) => countOnce(operator, other, countOnceBy)));
  const fewest = ties.reduce((least, candidate) => (candidate.length < least.length ? candidate : least));
  return fewest.some((operator) =>
    findIndependent(
      operators.filter((other) => !countOnce(operator, other, countOnceBy)),
      needed - 1,
      countOnceBy,
    ),
  );
}
