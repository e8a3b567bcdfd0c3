import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { choosePort, PortInUseError } from "./ports.ts";
import { loadSettings, newSettings, saveSettings, withFreePorts, withOperators } from "./settings.ts";

let directory = "";
beforeAll(async () => (directory = await mkdtemp(join(tmpdir(), "quorate-settings-"))));
afterAll(() => rm(directory, { recursive: true, force: true }));

async function occupied(): Promise<AsyncDisposable & { port: number }> {
  const port = await choosePort(new Set());
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return { port, [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())) };
}

it("reads back what it stored, so that ports, keys' names and tokens stay", async () => {
  const path = join(directory, "network.json");
  expect(await loadSettings(path)).toBeUndefined();
  const settings = await newSettings({ port: 8555, operators: 4 });
  await saveSettings(path, settings);
  expect(await loadSettings(path)).toEqual(settings);
});

it("refuses a damaged file without showing its secrets", async () => {
  const path = join(directory, "damaged.json");
  await writeFile(path, '{"tokens":{"api":"quorate-api-secret"}');
  const error = await loadSettings(path).catch((caught: unknown) => String(caught));
  expect(error).toMatch(/damaged\.json: it is damaged; restore it/);
  expect(error).not.toContain("secret");
});

it("refuses a port of the API that is taken, and says what to do", async () => {
  await using other = await occupied();
  const settings = await newSettings({ port: other.port, operators: 1 });
  await expect(withFreePorts(settings, undefined)).rejects.toThrow(PortInUseError);
  await expect(withFreePorts(settings, undefined)).rejects.toThrow(/port \d+: another process uses it; .* --port/);
});

it("chooses another port for an internal service whose port was taken, and keeps the others", async () => {
  await using other = await occupied();
  const settings = await newSettings({ port: await choosePort(new Set()), operators: 1 });
  const changed = await withFreePorts({ ...settings, ports: { ...settings.ports, log: other.port } }, undefined);
  expect(changed.ports.log).not.toBe(other.port);
  expect({ ...changed.ports, log: 0 }).toEqual({ ...settings.ports, log: 0 });
});

it("adds operators, and never takes one away", async () => {
  const settings = await newSettings({ port: undefined, operators: 3 });
  expect(withOperators(settings, 5).operators).toEqual([...settings.operators, "dogwood", "elder"]);
  expect(withOperators(settings, undefined)).toBe(settings);
  expect(() => withOperators(settings, 2)).toThrow("this network has 3");
});
