import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { utf8 } from "@quorate/protocol/utf8";
import { expect, test } from "vitest";
import { append, LogConstellation } from "./log-constellation.ts";

const program = join(import.meta.dirname, "../../services/cli/src/main.ts");

/** `quorate monitor` as a process of its own; each item is what it said of one look. */
function startMonitor(words: readonly string[]) {
  const child = spawn(process.execPath, [program, "monitor", ...words, "--interval", "1"], { stdio: ["ignore", "pipe", "pipe"] });
  const exited = once(child, "exit");
  const lines = [child.stdout, child.stderr].map((stream) => createInterface({ input: stream })[Symbol.asyncIterator]());
  return {
    alerts: lines[0],
    quiet: lines[1],
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
  for (let round = 0; round < 3; round += 1) {
    const { value } = (await monitor.quiet?.next()) ?? {};
    expect(value).toBe(`log.example/test: ${size} entries, nothing to report`);
    await grow();
  }
  await witnesses[2]?.stop();
  const kinds = new Set<string>();
  let missing = "";
  while (missing === "") {
    const { value = "" } = (await monitor.alerts?.next()) ?? {};
    kinds.add(String(value).split(" ")[0] ?? "");
    if (String(value).startsWith("lagging")) missing = String(value);
    else await grow();
  }
  expect([...kinds]).toEqual(["unreachable", "lagging"]);
  expect(missing).toMatch(
    /^lagging {2}witness w3: its cosignature is missing from the last 3 checkpoints .*; the last one that was seen is of \d+ entries$/,
  );
  expect((await readdir(join(watch, "checkpoints"))).length).toBeGreaterThanOrEqual(6);
  expect(await monitor.stop()).toBe(130);
});
