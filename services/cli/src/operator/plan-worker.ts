/** What a machine has, as a worker sees it. */
export type WorkerHost = {
  cores: number;
  memoryMib: number;
  freeDiskMib: number;
  /** This machine's clock minus the network's, in seconds; `undefined` when the network did not say. */
  clockSeconds?: number | undefined;
};

export type WorkerLimits = { parallel: number; memoryMib: number; diskMib: number };

export type WorkerPlan = { kind: "can"; limits: WorkerLimits } | { kind: "cannot"; reasons: string[] };

/** A base system, a package's dependencies and its build tree take this much at the least. */
const leastDiskMib = 2048;
const leastMemoryMib = 512;
/** The coordinator refuses what is said at another time. */
const mostClockSeconds = 300;
/** What a large C++ package needs. */
const usualMemoryMib = 4096;
const usualDiskMib = 16_384;

/** What one build on this machine may take: what is wanted, else what is usual, as far as the machine has it; or why it cannot build. */
export function planWorker(host: WorkerHost, wanted: Partial<WorkerLimits>): WorkerPlan {
  const limits: WorkerLimits = {
    parallel: wanted.parallel ?? host.cores,
    memoryMib: wanted.memoryMib ?? Math.min(usualMemoryMib, Math.floor(host.memoryMib * 0.75)),
    diskMib: wanted.diskMib ?? Math.min(usualDiskMib, Math.floor(host.freeDiskMib * 0.8)),
  };
  const { clockSeconds = 0 } = host;
  const reasons = [
    limits.memoryMib < leastMemoryMib || limits.memoryMib > host.memoryMib
      ? `memory: a build would have ${limits.memoryMib} MiB of ${host.memoryMib}; it needs ${leastMemoryMib} at the least`
      : [],
    limits.diskMib < leastDiskMib || limits.diskMib > host.freeDiskMib
      ? `disk: a build would have ${limits.diskMib} MiB of ${host.freeDiskMib} free; it needs ${leastDiskMib} at the least`
      : [],
    Math.abs(clockSeconds) > mostClockSeconds
      ? `clock: it is ${Math.abs(clockSeconds)} s ${clockSeconds > 0 ? "ahead of" : "behind"} the network's; run: timedatectl set-ntp true`
      : [],
  ].flat();
  return reasons.length > 0 ? { kind: "cannot", reasons } : { kind: "can", limits };
}
