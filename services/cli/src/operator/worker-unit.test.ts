import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { exitCodes } from "../command-error.ts";
import { createProgram } from "../program.ts";
import { recordingContext } from "../recording-terminal.fixture.ts";

const unit = await readFile(new URL("../../../../deploy/systemd/quorate-worker.service", import.meta.url), "utf8");
const valuesOf = (name: string): string[] => [...unit.matchAll(new RegExp(`^#?${name}=(.*)$`, "gm"))].map(([, value = ""]) => value);

test("systemd leaves a worker alone that the network takes no more, and starts every other again", () => {
  expect(valuesOf("Restart")).toEqual(["always"]);
  expect(valuesOf("RestartPreventExitStatus")).toEqual([String(exitCodes.notPermitted)]);
});

test("the unit runs a command that there is, with variables that it reads", () => {
  const [program, command, ...options] = valuesOf("ExecStart")[0]?.split(" ") ?? [];
  expect(program).toBe("/opt/quorate/bin/quorate");
  const known = createProgram(recordingContext(), () => undefined).commands.find((other) => other.name() === command);
  expect(known?.options.map(({ long }) => long)).toEqual(expect.arrayContaining(options));
  const help = known?.helpInformation() ?? "";
  for (const name of valuesOf("Environment").flatMap((line) => line.match(/QUORATE_\w+/g) ?? [])) expect(help).toContain(name);
});
