import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeDurableFile } from "./durable-file.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "quorate-durable-"));
});
afterEach(() => rm(directory, { recursive: true }));

test("replaces a file whole and leaves no temporary file", async () => {
  const path = join(directory, "a");
  await writeDurableFile(path, "old");
  await writeDurableFile(path, "new", { mode: 0o600 });
  expect(await readFile(path, "utf8")).toBe("new");
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(directory)).toEqual(["a"]);
});

test("does not replace a file when told so", async () => {
  const path = join(directory, "a");
  await writeDurableFile(path, "old", { replace: false });
  await expect(writeDurableFile(path, "new", { replace: false })).rejects.toMatchObject({ code: "EEXIST" });
  expect(await readFile(path, "utf8")).toBe("old");
  expect(await readdir(directory)).toEqual(["a"]);
});
