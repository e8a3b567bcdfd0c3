import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { utf8 } from "@quorate/protocol/utf8";
import { expect, test } from "vitest";
import { append, LogConstellation } from "./log-constellation.ts";

const program = join(import.meta.dirname, "../../services/cli/src/main.ts");

/** `quorate monitor` as a process of its own: a line of standard output for each alert, of standard error for a look without any. */
function startMonitor(words: readonly string[]) {
  const child = spawn(process.execPath, [program, "monitor", ...words, "--interval", "1"], { stdio: ["ignore", "pipe", "pipe"] });
  const exited = once(child, "exit");
  const reader = (stream: Readable) => {
    const lines = createInterface({ input: stream })[Symbol.asyncIterator]();
    return async (): Promise<string> => {
      const { done, value } = await lines.next();
      if (done) throw new Error("the monitor ended");
      return value;
    };
  };
  return {
    alert: reader(child.stdout),
    quietLook: reader(child.stderr),
    async stop(): Promise<unknown> {
      child.kill("SIGTERM");
      return (await exited)[0];
    },
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

test("a monitor follows a log that grows, keeps each checkpoint, and names the witness that stays behind", async () => {
  await using constellation = await LogConstellation.start({ witnesses: 3, quorum: 2 });
  const { directory, policyText, witnesses } = constellation;
  const policyFile = join(directory, "policy");
  await writeFile(policyFile, policyText);
  await using log = await constellation.startLog();
  let size = 0;
  const grow = async () => {
    await append(log.url, `key/${size}`, utf8(`entry ${size}`));
    size += 1;
  };
  await grow();
  const watch = join(directory, "watch");
  await using monitor = startMonitor([watch, "--log", log.url, "--policy", policyFile]);
  expect(await monitor.quietLook()).toMatch(/^note: verdicts are not recomputed/);
  for (let round = 0; round < 3; round += 1) {
    const newest = `log.example/test: ${size} entries, nothing to report`;
    for (let line = ""; line !== newest;) {
      line = await monitor.quietLook();
      expect(line).toMatch(/^log.example\/test: \d+ entries, nothing to report$/);
    }
    await grow();
  }
  await witnesses[2]?.stop();
  const alerts: string[] = [];
  for (let last = ""; !last.startsWith("lagging"); alerts.push(last)) {
    last = await monitor.alert();
    await grow();
  }
  expect(alerts.slice(0, -1).every((line) => line.startsWith("unreachable  witness w3: "))).toBe(true);
  expect(alerts.at(-1)).toMatch(
    /^lagging {2}witness w3: its cosignature is missing from the last 3 checkpoints .*; the last one that was seen is of \d+ entries$/,
  );
  expect((await readdir(join(watch, "checkpoints"))).length).toBeGreaterThanOrEqual(6);
  expect(await monitor.stop()).toBe(130);
});
