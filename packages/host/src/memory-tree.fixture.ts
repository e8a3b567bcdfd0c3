import { sha256Of } from "@quorate/protocol/digest";
import { utf8 } from "@quorate/protocol/utf8";
import type { HostTree, TreeNode } from "./host-tree.ts";

/** For tests: a tree of texts by path; `-> target` is a symbolic link. Directories are there because something is in them. */
export function memoryTree(files: Readonly<Record<string, string>>): HostTree {
  const paths = Object.keys(files);
  const common = { mode: 0o755, uid: 0, gid: 0, sizeBytes: 0 };
  const node = (path: string): TreeNode | undefined => {
    const content = files[path];
    if (content === undefined) return paths.some((other) => other.startsWith(`${path}/`)) ? { kind: "directory", ...common } : undefined;
    const linkTarget = /^-> (.*)$/.exec(content)?.[1];
    return linkTarget === undefined
      ? { kind: "file", ...common, sizeBytes: utf8(content).length }
      : { kind: "symlink", ...common, linkTarget };
  };
  const read = (path: string) => (node(path)?.kind === "file" ? utf8(files[path] ?? "") : undefined);
  const list = (directory: string) => [
    ...new Set(
      paths.filter((path) => path.startsWith(`${directory}/`)).map((path) => path.slice(directory.length + 1).split("/")[0] ?? ""),
    ),
  ];
  return {
    node,
    read,
    entries: (directory) => list(directory).map((name) => ({ name, isDirectory: node(`${directory}/${name}`)?.kind === "directory" })),
    hash: async (wanted) => new Map(wanted.map((path) => [path, { kind: "hashed", sha256: sha256Of(read(path) ?? utf8("")) }])),
  };
}
