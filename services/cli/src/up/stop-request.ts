import type { Terminal } from "../terminal.ts";
import type { Network } from "./network.ts";

/** Resolves when the signal aborts (the first Ctrl-C). From then on a second Ctrl-C ends everything at once. */
export async function stopRequested(signal: AbortSignal, network: Network, terminal: Pick<Terminal, "say">): Promise<void> {
  if (!signal.aborted) await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  terminal.say("stopping (Ctrl-C again ends everything at once)");
  const end = (): void => {
    network.kill();
    process.exit(130);
  };
  for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, end);
}
