import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";

/** Runs a program that has `runService` and `ConfigError` in scope. */
function run(program: string, env: Record<string, string> = {}) {
  const imports = ["run", "config"].map((file) => `import * as ${file} from ${JSON.stringify(join(import.meta.dirname, `${file}.ts`))};`);
  const child = spawn(process.execPath, ["--input-type=module", "--eval", `${imports.join("")}${program}`], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  return { child, output: text(child.stdout), exit: once(child, "exit") };
}

const service = (dispose: string) => `
  await run.runService("demo", async ({ logger }) => {
    setInterval(() => {}, 1000);
    setTimeout(() => process.kill(process.pid, "SIGTERM"), 1);
    return { async [Symbol.asyncDispose]() { ${dispose} } };
  });`;

test("disposes of the service at SIGTERM and ends with 0", async () => {
  const { output, exit } = run(service(`logger.info("disposed")`));
  expect(await exit).toEqual([0, null]);
  expect(await output).toMatch(/"disposed".*"stopped"/s);
});

test("ends at once at a second SIGTERM, whatever the service is still doing", async () => {
  const { exit, output } = run(service(`process.kill(process.pid, "SIGTERM"); await new Promise(() => {});`));
  expect(await exit).toEqual([143, null]);
  expect(await output).not.toMatch(/stopping took longer/);
});

test("ends with 1 and the chain of causes in one line when the service cannot start", async () => {
  const { output, exit } = run(
    `await run.runService("demo", async () => { throw new Error("opening x", { cause: new Error("no\\nsuch file") }); });`,
  );
  expect(await exit).toEqual([1, null]);
  expect(await output).toContain('"msg":"opening x: no such file"');
});

test("ends with 78 when the configuration is wrong", async () => {
  const started = run(`await run.runService("demo", async () => { throw new config.ConfigError("X is not set"); });`);
  expect(await started.exit).toEqual([78, null]);
  const wrongLevel = run(service(""), { LOG_LEVEL: "loud" });
  expect(await wrongLevel.exit).toEqual([78, null]);
  expect(await wrongLevel.output).toContain("LOG_LEVEL must be one of trace");
});

test("ends with 77 when it may not go on, so that nobody starts it again", async () => {
  const { exit } = run(`await run.runService("demo", async ({ fail }) => { fail(new run.NotPermittedError("dismissed")); });`);
  expect(await exit).toEqual([77, null]);
});

test("ends with 0 at SIGTERM while it waits to start", async () => {
  const { output, exit } = run(`
    const { setTimeout: sleep } = await import("node:timers/promises");
    await run.runService("demo", async ({ signal }) => {
      setTimeout(() => process.kill(process.pid, "SIGTERM"), 1);
      await sleep(60_000, undefined, { signal });
    });`);
  expect(await exit).toEqual([0, null]);
  expect(await output).toMatch(/"stopping".*"stopped"/s);
});

test("ends with 1 at a rejection that nobody handles", async () => {
  const { exit } = run(
    `await run.runService("demo", async () => { void Promise.reject(new Error("lost")); return { async [Symbol.asyncDispose]() {} }; });`,
  );
  expect(await exit).toEqual([1, null]);
});
