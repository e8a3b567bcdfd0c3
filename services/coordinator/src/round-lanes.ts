/**
 * Runs the steps of one round one after the other, those of different rounds at the same time. A request that comes while another one
 * waits joins it: both would find the same work.
 */
export type RoundLanes = { run(round: string, step: () => Promise<void>): Promise<void> };

export function createRoundLanes(): RoundLanes {
  const lanes = new Map<string, { running: Promise<void>; waiting?: Promise<void> }>();

  const start = (round: string, step: () => Promise<void>): Promise<void> => {
    const lane: { running: Promise<void>; waiting?: Promise<void> } = { running: step() };
    lanes.set(round, lane);
    lane.running = lane.running.finally(() => {
      if (lanes.get(round) === lane && !lane.waiting) lanes.delete(round);
    });
    return lane.running;
  };

  return {
    run(round, step) {
      const lane = lanes.get(round);
      if (!lane) return start(round, step);
      lane.waiting ??= lane.running.catch(() => undefined).then(() => start(round, step));
      return lane.waiting;
    },
  };
}
