import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openTreeStore } from "./tree-store.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "quorate-trees-"));
});
afterEach(() => rm(directory, { recursive: true }));

const fill = (part: string) => writeFile(join(directory, part, "file"), "content");
const trees = () => readdir(join(directory, "layers"));

test("two requests for one tree make it once", async () => {
  const store = await openTreeStore(directory, { name: "layers", keep: 5 });
  let made = 0;
  const make = async (part: string) => {
    made += 1;
    await fill(part);
  };
  const found = await Promise.all([store.obtain("a", make), store.obtain("a", make), store.obtain("a", make)]);
  expect(made).toBe(1);
  expect(new Set(found.map(({ path }) => path))).toEqual(new Set(["layers/a"]));
});

test("a tree that could not be made leaves nothing, and the next request makes it anew", async () => {
  const store = await openTreeStore(directory, { name: "layers", keep: 5 });
  const fail = async (part: string) => {
    await fill(part);
    throw new Error("no space");
  };
  await expect(store.obtain("a", fail)).rejects.toThrow("no space");
  expect(await trees()).toEqual([]);
  using tree = await store.obtain("a", fill);
  expect(await readdir(join(directory, tree.path))).toEqual(["file"]);
});

test("what a killed process left half made is removed at start", async () => {
  await mkdir(join(directory, "layers/a.part-1/upper"), { recursive: true });
  await mkdir(join(directory, "layers/b"), { recursive: true });
  await openTreeStore(directory, { name: "layers", keep: 5 });
  expect(await trees()).toEqual(["b"]);
});

test("beyond the bound the tree used least recently goes, but none that is in use", async () => {
  const store = await openTreeStore(directory, { name: "layers", keep: 1 });
  using held = await store.obtain("held", fill);
  (await store.obtain("old", fill))[Symbol.dispose]();
  (await store.obtain("new", fill))[Symbol.dispose]();
  expect((await trees()).toSorted()).toEqual(["held", "new"]);
  held[Symbol.dispose]();
  held[Symbol.dispose]();
  (await store.obtain("newest", fill))[Symbol.dispose]();
  expect(await trees()).toEqual(["newest"]);
});
