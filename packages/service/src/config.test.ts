import { expect, test } from "vitest";
import { z } from "zod";
import { ConfigError, parseConfig, portSchema, tokenSchema, wholeNumber } from "./config.ts";

const schema = z.object({
  X_PORT: portSchema.describe("port of the public interface"),
  X_TOKEN: tokenSchema.describe("secret of writers"),
  X_BATCH: wholeNumber(1, 100).default(7),
});

function messageFor(env: Record<string, string>): string {
  try {
    parseConfig(schema, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return "";
}

test("parses what is set and takes defaults for what is unset or empty", () => {
  expect(parseConfig(schema, { X_PORT: "80", X_TOKEN: "0123456789abcdef", X_BATCH: "", OTHER: "1" })).toEqual({
    X_PORT: 80,
    X_TOKEN: "0123456789abcdef",
    X_BATCH: 7,
  });
});

test("names every wrong variable, what it should be, what it is and what it is for", () => {
  const message = messageFor({ X_PORT: "080", X_TOKEN: "0123456789abcdef" });
  expect(message).toContain('X_PORT must be a whole number from 0 to 65535, it is "080" (port of the public interface)');
  expect(messageFor({ X_PORT: "1" })).toContain("X_TOKEN is not set (secret of writers)");
});

test("never repeats the value of a secret", () => {
  const message = messageFor({ X_PORT: "1", X_TOKEN: "too short" });
  expect(message).toContain("X_TOKEN must be");
  expect(message).not.toContain("too short");
});

test.each(["", " 1", "1e3", "0x10", "-1", "1.0", "65536", "99999999999999999999"])("refuses %j as a port", (text) => {
  expect(portSchema.safeParse(text).success).toBe(false);
});
