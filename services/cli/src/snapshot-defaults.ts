/** Where a host keeps its snapshot unless it is told otherwise. */
export const defaultSnapshotDirectory = "/var/lib/quorate/snapshot";

/** Three days: a host that is synced daily may miss a day, and an attacker who holds the network back is noticed soon. */
export const defaultFreshnessSeconds = 259_200;
