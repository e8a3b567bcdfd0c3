import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256Of } from "@quorate/protocol/digest";
import { afterEach, beforeEach, expect, test } from "vitest";
import { BuildLog } from "./build-log.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "quorate-log-"));
});
afterEach(() => rm(directory, { recursive: true }));

function logOf(bounds?: { headBytes: number; tailBytes: number }) {
  const batches: string[][] = [];
  return { log: new BuildLog(join(directory, "build.log"), (lines) => batches.push(lines), bounds), batches };
}

test("a log is kept as it came, with its digest", async () => {
  const { log } = logOf();
  const bytes = Buffer.from("one\n\xff binary \n", "latin1");
  log.write(bytes);
  const saved = await log.save("build.log");
  expect(await readFile(saved.path)).toEqual(bytes);
  expect(saved).toMatchObject({ name: "build.log", sizeBytes: bytes.length, sha256: sha256Of(bytes) });
});

test("of a log that is too long the beginning and the end are kept", async () => {
  const { log } = logOf({ headBytes: 10, tailBytes: 10 });
  for (let i = 0; i < 1000; i += 1) log.write(Buffer.from(`${i}`.padStart(4, "0")));
  const saved = await log.save("build.log");
  const text = await readFile(saved.path, "utf8");
  expect(text.startsWith("0000000100")).toBe(true);
  expect(text.endsWith("099709980999")).toBe(true);
  expect(text).toMatch(/quorate: \d+ bytes of the log are left out here/);
  expect(saved.sizeBytes).toBeLessThan(120);
});

test("lines go out whole, in order, also where chunks cut them and their characters", () => {
  const { log, batches } = logOf();
  const bytes = Buffer.from("größer\nnext\nunfinished");
  for (const byte of bytes) log.write(Buffer.from([byte]));
  log.flush();
  expect(batches).toEqual([["größer", "next"]]);
});

test("a flood of lines is cut for those who watch, and says so", () => {
  const { log, batches } = logOf();
  log.write(Buffer.from("line\n".repeat(10_000)));
  log.flush();
  expect(batches).toHaveLength(1);
  expect(batches[0]).toHaveLength(401);
  expect(batches[0]?.at(-1)).toBe("quorate: 9600 more lines are in the build log only");
});

test("one line without an end takes no memory without an end", () => {
  const { log, batches } = logOf({ headBytes: 1000, tailBytes: 1000 });
  for (let i = 0; i < 1000; i += 1) log.write(Buffer.alloc(1000, "x"));
  log.write(Buffer.from("\n"));
  log.flush();
  expect(batches.flat()).toEqual(["x".repeat(1000)]);
});
