import { setImmediate } from "node:timers/promises";
import type { FileDigest, HostTree } from "./host-tree.ts";

/** Fewer are not worth a turn of the threads that hash. */
const fewPaths = 512;

type Given = { readonly onFile: (done: number, all: number) => void; readonly signal: AbortSignal };

/** Has files of a tree hashed, each once, while it is still found out which. */
export class HashingAhead {
  readonly #tree: HostTree;
  readonly #given: Given;
  readonly #wanted = new Set<string>();
  readonly #started: Promise<ReadonlyMap<string, FileDigest>>[] = [];
  #next: string[] = [];
  #done = 0;

  constructor(tree: HostTree, given: Given) {
    this.#tree = tree;
    this.#given = given;
  }

  async add(paths: readonly string[]): Promise<void> {
    for (const path of paths) {
      if (this.#wanted.has(path)) continue;
      this.#wanted.add(path);
      this.#next.push(path);
    }
    if (this.#next.length < fewPaths) return;
    this.#start();
    // Takes the threads' answers, and gives them more.
    await setImmediate();
  }

  /** All digests. @throws what hashing throws, which is an abort */
  async finish(): Promise<ReadonlyMap<string, FileDigest>> {
    this.#start();
    const digests = new Map<string, FileDigest>();
    for (const part of await Promise.all(this.#started)) for (const [path, digest] of part) digests.set(path, digest);
    return digests;
  }

  #start(): void {
    const onFile = () => this.#given.onFile((this.#done += 1), this.#wanted.size);
    const started = this.#tree.hash(this.#next, { onFile, signal: this.#given.signal });
    // Whoever finishes is told; who fails before that is told of that.
    started.catch(() => {});
    this.#started.push(started);
    this.#next = [];
  }
}
