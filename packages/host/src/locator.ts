import type { HostTree } from "./host-tree.ts";

/** As the kernel's ELOOP. */
const maxLinks = 40;

/**
 * Where paths lead in a tree: symbolic links in the directories above them are followed, as a process would that has the tree as its root.
 * On a merged /usr `bin/sh` is at `usr/bin/sh`.
 */
export class Locator {
  readonly #tree: HostTree;
  readonly #directories = new Map<string, string>([["", ""]]);

  constructor(tree: HostTree) {
    this.#tree = tree;
  }

  /** The path with the directories above it resolved; the path as it is if they lead in a circle. */
  locate(path: string): string {
    const slash = path.lastIndexOf("/");
    if (slash < 0) return path;
    const directory = this.#directory(path.slice(0, slash), 0);
    return directory === "" ? path.slice(slash + 1) : `${directory}/${path.slice(slash + 1)}`;
  }

  /** As `locate`, and a symbolic link at the path itself is followed too; `undefined` in a circle. */
  follow(path: string): string | undefined {
    try {
      return this.#real(path, 0) || ".";
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  }

  #directory(path: string, links: number): string {
    const known = this.#directories.get(path);
    if (known !== undefined) return known;
    let real = path;
    try {
      real = this.#real(path, links);
    } catch (error) {
      if (!(error instanceof RangeError) || links > 0) throw error;
    }
    this.#directories.set(path, real);
    return real;
  }

  #real(path: string, links: number): string {
    if (links > maxLinks) throw new RangeError(`following ${path}: too many symbolic links`);
    const slash = path.lastIndexOf("/");
    const parent = slash < 0 ? "" : this.#directory(path.slice(0, slash), links);
    const name = path.slice(slash + 1);
    if (name === "" || name === ".") return parent;
    if (name === "..") return parent.slice(0, Math.max(0, parent.lastIndexOf("/")));
    const own = parent === "" ? name : `${parent}/${name}`;
    const target = this.#tree.node(own)?.linkTarget;
    if (target === undefined) return own;
    return this.#real(target.startsWith("/") ? target.replace(/^\/+/, "") : `${parent}/${target}`.replace(/^\/+/, ""), links + 1);
  }
}
