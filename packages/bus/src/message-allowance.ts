/** Lets each sender send so many a second on average, and as many at once as it has saved up. What is over is to be dropped. */
export function createAllowance(options: { perSecond: number; burst: number; now: () => number }): { take(sender: string): boolean } {
  const { perSecond, burst, now } = options;
  const saved = new Map<string, { messages: number; at: number }>();
  return {
    take(sender) {
      const at = now();
      const known = saved.get(sender) ?? { messages: burst, at };
      const messages = Math.min(burst, known.messages + ((at - known.at) / 1000) * perSecond);
      const isAllowed = messages >= 1;
      saved.set(sender, { messages: isAllowed ? messages - 1 : messages, at });
      return isAllowed;
    },
  };
}
