import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { FaultReport, FlushedFiles } from "./fault-plan.ts";

/** SQLite flushes its own files, and the lock says nothing after a start. */
const keptAsTheyAre = /\.sqlite(-wal|-shm)?$|^lock(-journal|-holder)?$/;

/** What a name in a directory stands for. */
type Node = { readonly bytes: Buffer } | { readonly names: Map<string, Node> };

/**
 * Makes a directory what a power failure may have left of it. `chance` decides for each name and each file that was not flushed what became of
 * it: the old, the new, or a part; `undefined` loses all of it.
 */
export function loseUnflushed(directory: string, report: FaultReport, chance: (() => number) | undefined): void {
  const { flushed, commit } = report;
  if (flushed === undefined) throw new Error(`losing what ${directory} had not flushed: the report does not say what it had`);
  if (commit !== undefined) tearCommit(commit, chance ?? (() => 0));
  const left = leftOf(directory, { flushed, chance });
  rmSync(directory, { recursive: true });
  writeNode(directory, left);
}

/** The commit's own pages in the write-ahead log, cut anywhere. */
function tearCommit({ walPath, lengthBytes }: NonNullable<FaultReport["commit"]>, chance: () => number): void {
  const now = existsSync(walPath) ? statSync(walPath).size : 0;
  if (now > lengthBytes) truncateSync(walPath, lengthBytes + Math.floor(chance() * (now - lengthBytes)));
}

type Loss = { readonly flushed: FlushedFiles; readonly chance: (() => number) | undefined };

function leftOf(directory: string, loss: Loss): Node {
  const { flushed, chance } = loss;
  const before = new Map(flushed.directories.find(([path]) => path === directory)?.[1]);
  const now = new Map(readNames(directory).map((name) => [name, contentNumber(join(directory, name), flushed)]));
  const names = new Map<string, Node>();
  for (const name of new Set([...before.keys(), ...now.keys()])) {
    const path = join(directory, name);
    const kept = keptAsTheyAre.test(name) && now.has(name);
    const same = before.has(name) && now.has(name) && before.get(name) === now.get(name);
    const isNew = kept || same || (chance !== undefined && chance() < 0.5);
    if (isNew && !now.has(name)) continue;
    if (!isNew && !before.has(name)) continue;
    if (kept) names.set(name, { bytes: readFileSync(path) });
    else if ((isNew ? now : before).get(name) === null) names.set(name, leftOf(path, loss));
    else names.set(name, { bytes: isNew ? leftOfFile(path, loss) : flushedBytes(before.get(name), flushed) });
  }
  return { names };
}

function leftOfFile(path: string, { flushed, chance }: Loss): Buffer {
  const before = flushedBytes(contentNumber(path, flushed), flushed);
  const now = readFileSync(path);
  if (chance === undefined || before.equals(now)) return before;
  // Old bytes, all of the new ones, a part of them, or their length with zeros where the data did not come.
  const common = now.subarray(0, before.length).equals(before) ? before.length : 0;
  const cut = common + Math.floor(chance() * (now.length - common));
  switch (Math.floor(chance() * 4)) {
    case 0:
      return before;
    case 1:
      return now;
    case 2:
      return now.subarray(0, cut);
    default:
      return Buffer.concat([now.subarray(0, cut), Buffer.alloc(now.length - cut)]);
  }
}

/** The number of a file's flushed content, `undefined` for a file of which nothing was seen; null for a directory. */
function contentNumber(path: string, { contentOfInode }: FlushedFiles): number | null | undefined {
  const found = statSync(path);
  return found.isDirectory() ? null : contentOfInode.find(([inode]) => inode === found.ino)?.[1];
}

function flushedBytes(number: number | null | undefined, { contents }: FlushedFiles): Buffer {
  return Buffer.from(contents[number ?? -1] ?? "", "base64");
}

function readNames(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}

function writeNode(path: string, node: Node): void {
  if ("bytes" in node) return writeFileSync(path, node.bytes, { mode: 0o600 });
  mkdirSync(path, { recursive: true, mode: 0o700 });
  for (const [name, below] of node.names) writeNode(join(path, basename(name)), below);
}
