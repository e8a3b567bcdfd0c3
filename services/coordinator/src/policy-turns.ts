/**
 * Draws and publications of a policy take turns: a round is logged under the policy that is in force where it is logged, so no policy may
 * come between what a draw reads and what it logs. Draws run beside each other; a publication waits for those under way, and new ones for it.
 */
export type PolicyTurns = {
  draw<Value>(work: () => Promise<Value>): Promise<Value>;
  publish<Value>(work: () => Promise<Value>): Promise<Value>;
};

export function createPolicyTurns(): PolicyTurns {
  const draws = new Set<Promise<unknown>>();
  const publications = new Set<Promise<unknown>>();
  return {
    async draw(work) {
      while (publications.size > 0) await Promise.allSettled(publications);
      return during(draws, work());
    },
    publish(work) {
      const before = [...publications, ...draws];
      return during(
        publications,
        Promise.allSettled(before).then(() => work()),
      );
    },
  };
}

/** What is being done is in the set until it is done. */
async function during<Value>(underWay: Set<Promise<unknown>>, work: Promise<Value>): Promise<Value> {
  underWay.add(work);
  try {
    return await work;
  } finally {
    underWay.delete(work);
  }
}
