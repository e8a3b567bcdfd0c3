import { test } from "vitest";
import { adversaries } from "./adversaries.ts";

/** A test that plays an adversary of the list. */
export function adversary(id: keyof typeof adversaries, play: () => Promise<void>): void {
  const { party, does } = adversaries[id];
  test(`a party that ${does} (${party})`, play);
}
