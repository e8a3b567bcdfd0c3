import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256Of } from "@quorate/protocol/digest";
import { utf8 } from "@quorate/protocol/utf8";
import { afterEach, beforeEach, expect, test } from "vitest";
import { hashTree, traceTree } from "./trace.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "quorate-trace-"));
  await mkdir(join(directory, "src"));
  await writeFile(join(directory, "src/main.c"), "source");
});
afterEach(() => rm(directory, { recursive: true }));

const digestOf = (text: string) => sha256Of(utf8(text));

test("a trace lists what a build made, by bytes: neither the source, wherever it was copied, nor what is in an artifact", async () => {
  const source = await hashTree(directory);
  await mkdir(join(directory, "debian/tmp"), { recursive: true });
  await writeFile(join(directory, "src/main.o"), "object");
  await writeFile(join(directory, "copy-of-main.c"), "source");
  await writeFile(join(directory, "debian/tmp/program"), "installed");
  expect(await traceTree(directory, [source, new Set([digestOf("installed")])])).toEqual([
    { path: "src/main.o", sizeBytes: 6, sha256: digestOf("object") },
  ]);
});

test("Python's byte code, which begins with a time, is no evidence of a build", async () => {
  await mkdir(join(directory, "__pycache__"));
  await writeFile(join(directory, "__pycache__/main.cpython-313.pyc"), "code");
  expect((await traceTree(directory, [])).map(({ path }) => path)).toEqual(["src/main.c"]);
});

test("a source file that the build changed is a file that it made", async () => {
  const source = await hashTree(directory);
  await writeFile(join(directory, "src/main.c"), "changed");
  expect((await traceTree(directory, [source])).map(({ path }) => path)).toEqual(["src/main.c"]);
});

test("links are neither followed nor listed, and names need not be UTF-8", async () => {
  await symlink("/etc", join(directory, "etc"));
  await symlink("/etc/hostname", join(directory, "hostname"));
  await writeFile(Buffer.concat([Buffer.from(`${directory}/b`), Buffer.from([0xff])]), "bytes");
  expect((await traceTree(directory, [])).map(({ path }) => path)).toEqual(["b\udcff", "src/main.c"]);
});
