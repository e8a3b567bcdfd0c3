import { expect, it } from "vitest";
import { createProgram } from "./program.ts";
import { recordingContext } from "./recording-terminal.fixture.ts";

it("has every command once, each with a description", () => {
  const program = createProgram(recordingContext(), () => undefined);
  const network = program.commands.find((command) => command.name() === "network");
  expect(network?.commands.map((command) => command.name())).toEqual(["policy", "operators", "tokens"]);
  for (const command of program.commands) expect(command.description(), command.name()).not.toBe("");
});
