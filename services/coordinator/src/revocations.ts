/** Has the transport refuse the credentials that the database says have ended. */
export type Revocations = {
  /** Resolves to whether the transport has been told; if not, it is owed. */
  push(): Promise<boolean>;
  /** Does what could not be done before. */
  pushOwed(): Promise<void>;
};

/** @param tell reads all that have ended, and tells the transport */
export function createRevocations({ tell, onError }: { tell: () => Promise<void>; onError: (error: unknown) => void }): Revocations {
  let isOwed = false;
  let last = Promise.resolve(true);
  let waiting: Promise<boolean> | undefined;
  const tellAfter = async (before: Promise<boolean>): Promise<boolean> => {
    await before;
    // What ends from here on needs another turn: this one may have read without it.
    waiting = undefined;
    isOwed = false;
    try {
      await tell();
      return true;
    } catch (error) {
      isOwed = true;
      onError(error);
      return false;
    }
  };
  const push = (): Promise<boolean> => {
    isOwed = true;
    // One at a time: one that has read less would take back what a later one told.
    waiting ??= tellAfter(last);
    last = waiting;
    return waiting;
  };
  return { push, pushOwed: async () => void (isOwed && (await push())) };
}
