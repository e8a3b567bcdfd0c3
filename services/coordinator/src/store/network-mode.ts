import type { Queries } from "../database.ts";
import { networkMode } from "../administration-tables.ts";

/**
 * Whether new work begins. `paused`: submissions are taken, and no committee is drawn. `draining`: they are refused too. Rounds whose committee is
 * drawn go on to their verdict in any mode: operators have committed themselves, and deadlines run.
 */
export type NetworkMode = (typeof networkMode.$inferSelect)["mode"];

export async function loadNetworkMode(db: Queries): Promise<{ mode: NetworkMode; since?: Date | undefined }> {
  const [row] = await db.select({ mode: networkMode.mode, since: networkMode.since }).from(networkMode);
  return row ?? { mode: "running" };
}

export async function saveNetworkMode(db: Queries, mode: NetworkMode, since: Date): Promise<void> {
  await db.insert(networkMode).values({ id: 1, mode, since }).onConflictDoUpdate({ target: networkMode.id, set: { mode, since } });
}
