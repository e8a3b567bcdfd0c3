/** Has the transport refuse the credentials that the database says have ended. */
export type Revocations = {
  /** @throws Error when the transport cannot be told; then it is owed */
  push(): Promise<void>;
  /** Does what could not be done before. */
  pushOwed(): Promise<void>;
};

/** @param tell reads all that have ended, and tells the transport */
export function createRevocations(tell: () => Promise<void>): Revocations {
  let isOwed = false;
  let last = Promise.resolve();
  const tellAfter = async (before: Promise<void>): Promise<void> => {
    await before;
    isOwed = false;
    try {
      await tell();
    } catch (error) {
      isOwed = true;
      throw error;
    }
  };
  const push = (): Promise<void> => {
    isOwed = true;
    // One at a time: one that has read less would take back what a later one told.
    const turn = tellAfter(last);
    last = turn.catch(() => undefined);
    return turn;
  };
  return { push, pushOwed: async () => void (isOwed && (await push())) };
}
