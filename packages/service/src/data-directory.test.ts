import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openDataDirectory } from "./data-directory.ts";

let parent: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), "quorate-data-"));
});
afterEach(() => rm(parent, { recursive: true }));

const wanted = (path: string) => ({ path, service: "log", format: 2 });

test("makes a missing directory that only its owner can read, and knows it again", async () => {
  const path = join(parent, "a", "b");
  {
    await using first = await openDataDirectory(wanted(path));
    expect(first.created).toBe(true);
    expect((await stat(path)).mode & 0o777).toBe(0o700);
  }
  await using second = await openDataDirectory(wanted(path));
  expect(second.created).toBe(false);
  expect(second.format).toBe(2);
});

test("is held by one opener at a time", async () => {
  {
    await using held = await openDataDirectory(wanted(parent));
    expect(held.created).toBe(true);
    await expect(openDataDirectory(wanted(parent))).rejects.toThrow(`it is in use by process ${process.pid}`);
  }
  await using again = await openDataDirectory(wanted(parent));
  expect(again.path).toBe(parent);
});

test("is free again after its holder was killed", async () => {
  const program = `
    import { openDataDirectory } from ${JSON.stringify(join(import.meta.dirname, "data-directory.ts"))};
    await openDataDirectory({ path: ${JSON.stringify(parent)}, service: "log", format: 2 });
    console.log("held");
    setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ["--input-type=module", "--eval", program], { stdio: ["ignore", "pipe", "inherit"] });
  await once(holder.stdout, "data");
  await expect(openDataDirectory(wanted(parent))).rejects.toThrow(`it is in use by process ${holder.pid}`);
  holder.kill("SIGKILL");
  await once(holder, "exit");
  await using free = await openDataDirectory(wanted(parent));
  expect(free.created).toBe(false);
});

test("refuses another service's data, a newer format and foreign files", async () => {
  await (await openDataDirectory(wanted(parent)))[Symbol.asyncDispose]();
  await expect(openDataDirectory({ path: parent, service: "witness", format: 2 })).rejects.toThrow("it is a log's data, not a witness's");
  await expect(openDataDirectory({ path: parent, service: "log", format: 1 })).rejects.toThrow("its format 2 is newer than 1");
  await using newer = await openDataDirectory({ path: parent, service: "log", format: 3 });
  expect(newer.format).toBe(2);

  const other = await mkdtemp(join(parent, "other-"));
  await writeFile(join(other, "holiday.jpg"), "");
  await expect(openDataDirectory(wanted(other))).rejects.toThrow("it holds other files (such as holiday.jpg)");
  expect(await readdir(other)).toEqual(["holiday.jpg"]);
});

test("leaves a directory from a newer version as it was", async () => {
  await writeFile(join(parent, "format"), '{"service":"log","format":9}');
  await expect(openDataDirectory(wanted(parent))).rejects.toThrow("its format 9 is newer than 2");
  expect(await readdir(parent)).toEqual(["format"]);
});

test("says what is in the way of making the directory", async () => {
  const file = join(parent, "file");
  await writeFile(file, "");
  const below = join(file, "below");
  await expect(openDataDirectory(wanted(file))).rejects.toThrow(`opening ${file}: a file is in the way`);
  await expect(openDataDirectory(wanted(below))).rejects.toThrow(`opening ${below}: a file is in the way`);
  // Where Node's recursive mkdir never ends.
  await expect(openDataDirectory(wanted("/proc/data"))).rejects.toThrow("opening /proc/data: no directory can be made there");
});
