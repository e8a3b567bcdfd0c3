import { readFileSync, readdirSync } from "node:fs";
import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import { exitCodes } from "./command-error.ts";
import { createProgram } from "./program.ts";
import { recordingContext } from "./recording-terminal.fixture.ts";

const directory = new URL("../../../deploy/systemd/", import.meta.url);
const units = readdirSync(directory).map((name) => ({ name, text: readFileSync(new URL(name, directory), "utf8") }));

const valuesOf = (text: string, name: string): string[] =>
  [...text.matchAll(new RegExp(`^#?${name}=(.*)$`, "gm"))].map(([, value = ""]) => value);

/** The command that words on the command line name, whose options they have; none is run. */
async function parse(words: readonly string[]): Promise<Command> {
  const program = createProgram(recordingContext(), () => undefined);
  const chosen: Command[] = [];
  const watchFor = (command: Command) => {
    command.action(() => void chosen.push(command));
    command.commands.forEach(watchFor);
  };
  watchFor(program);
  await program.parseAsync(words, { from: "user" });
  const [command] = chosen;
  if (command === undefined) throw new Error(`no command was chosen by ${words.join(" ")}`);
  return command;
}

const startsOfQuorate = units.flatMap(({ name, text }) =>
  valuesOf(text, "ExecStart").flatMap((line) => {
    const [program, ...words] = line.split(" ");
    return program === "/opt/quorate/bin/quorate" ? [{ name, text, words }] : [];
  }),
);

test("there are units of the commands that run for ever", () => {
  expect(startsOfQuorate.map(({ words }) => words[0]).toSorted()).toEqual(["watch", "worker"]);
});

describe.each(startsOfQuorate)("$name", ({ text, words }) => {
  test("runs a command that there is, with options that it has, also when those are added that it suggests", async () => {
    const suggested = [...text.matchAll(/^# To .*, add: (.*)$/gm)].map(([, more = ""]) => more.split(" "));
    for (const more of [[], ...suggested]) expect((await parse([...words, ...more])).name()).toBe(words[0]);
    await expect(parse([...words, "--not-an-option"])).rejects.toThrow("unknown option");
  });

  test("sets variables that the command reads", async () => {
    const help = (await parse(words)).helpInformation();
    for (const name of valuesOf(text, "Environment").flatMap((line) => line.match(/QUORATE_\w+/g) ?? [])) expect(help).toContain(name);
  });
});

test("systemd leaves a worker alone that the network takes no more, and starts every other again", () => {
  const unit = startsOfQuorate.find(({ words }) => words[0] === "worker")?.text ?? "";
  expect(valuesOf(unit, "Restart")).toEqual(["always"]);
  expect(valuesOf(unit, "RestartPreventExitStatus")).toEqual([String(exitCodes.notPermitted)]);
});

test("a watch that systemd stops has not failed", () => {
  const unit = startsOfQuorate.find(({ words }) => words[0] === "watch")?.text ?? "";
  expect(valuesOf(unit, "SuccessExitStatus")).toEqual([String(exitCodes.interrupted)]);
});
