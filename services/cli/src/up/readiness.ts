import { createConnection, type NetConnectOpts } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

/** Asks again every few milliseconds until `check` says yes. @throws the signal's reason when it aborts */
export async function until(check: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  while (!(await check())) await delay(10, undefined, { signal });
}

/** Whether an HTTP service says that it is ready. */
export async function answersReady(url: string, signal: AbortSignal): Promise<boolean> {
  try {
    const response = await fetch(`${url}/health/ready`, { signal });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

/** Whether something listens; with a greeting, whether it answers `say` by something that starts with `expect`. */
export function answersSocket(target: NetConnectOpts, greeting?: { say: string; expect: string }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(target, () => {
      if (greeting) socket.write(greeting.say);
      else finish(true);
    });
    const finish = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(2000, () => finish(false));
    socket.once("data", (data) => finish(data.toString("latin1").startsWith(greeting?.expect ?? "")));
    socket.once("error", () => finish(false));
    socket.once("close", () => resolve(false));
  });
}
