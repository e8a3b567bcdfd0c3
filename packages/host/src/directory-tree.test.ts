import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodePath } from "@quorate/attestation/path-text";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DirectoryTree } from "./directory-tree.ts";
import { FileHasher } from "./file-hasher.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "quorate-tree-"));
});
afterEach(() => rmSync(root, { recursive: true }));

test("a name that is no text hides nothing beside it, and leads to its file", async () => {
  const bytesOf = (last: number) => Buffer.concat([Buffer.from(`${root}/usr/a`), Uint8Array.of(last)]);
  mkdirSync(join(root, "usr/b"), { recursive: true });
  writeFileSync(join(root, "usr/evil"), "evil\n");
  writeFileSync(bytesOf(0xff), "file\n");
  mkdirSync(bytesOf(0xfe));
  await using hasher = new FileHasher();
  const tree = new DirectoryTree(root, hasher);
  const [file, directory] = [decodePath(Uint8Array.of(0x61, 0xff)), decodePath(Uint8Array.of(0x61, 0xfe))];
  expect(new Map(tree.entries("usr").map(({ name, isDirectory }) => [name, isDirectory]))).toEqual(
    new Map([
      ["b", true],
      ["evil", false],
      [file, false],
      [directory, true],
    ]),
  );
  expect([tree.node(`usr/${file}`)?.kind, tree.node(`usr/${directory}`)?.kind]).toEqual(["file", "directory"]);
  expect(tree.entries("usr/none")).toEqual([]);
});
