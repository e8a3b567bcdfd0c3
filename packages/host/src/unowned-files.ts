import type { Finding } from "./file-class.ts";
import type { HostTree } from "./host-tree.ts";
import type { Locator } from "./locator.ts";

/** Where programs and libraries are loaded from. Links to one another (merged /usr) are looked at once. */
const programDirectories = ["bin", "sbin", "lib", "lib32", "lib64", "libx32", "libexec", "games"].flatMap((name) => [name, `usr/${name}`]);
const localDirectories = ["usr/local/bin", "usr/local/sbin", "usr/local/games", "usr/local/lib", "usr/local/libexec"];

/** In /etc, and loaded into every program: no package has it. */
const preload = "etc/ld.so.preload";

/** Written by triggers and maintainer scripts from what packages install; which of them there are is all that is known. */
const caches = [
  /^usr\/lib\/[^/]+\/gconv\/gconv-modules\.cache$/,
  /^usr\/lib\/[^/]+\/gio\/modules\/giomodule\.cache$/,
  /^usr\/lib\/[^/]+\/gdk-pixbuf-2\.0\/[^/]+\/loaders\.cache$/,
  /^usr\/lib\/[^/]+\/gtk-[234]\.0\/[^/]+\/immodules\.cache$/,
  /^usr\/lib\/locale\/locale-archive$/,
  /^usr\/lib\/modules\/[^/]+\/modules\.[a-z.]+$/,
  /^usr\/lib\/udev\/hwdb\.bin$/,
  /^usr\/lib\/systemd\/catalog\/database$/,
];

export type Ownership = {
  readonly tree: HostTree;
  readonly locator: Locator;
  /** Where packages have something, symbolic links above it resolved. */
  readonly owned: ReadonlySet<string>;
};

/** What is in no package, where that matters. */
export function findUnowned(ownership: Ownership): Finding[] {
  const { tree } = ownership;
  const findings: Finding[] = [];
  for (const directory of programDirectories) {
    for (const path of filesBelow(tree, directory)) if (!ownership.owned.has(path)) findings.push(judgeProgram(path, ownership));
  }
  for (const directory of localDirectories) {
    for (const path of filesBelow(tree, directory)) if (!ownership.owned.has(path)) findings.push({ class: "local-program", path });
  }
  for (const path of filesBelow(tree, "etc")) {
    if (path === preload) findings.push({ class: "unowned", path, reason: "loaded into every program" });
    else if (!ownership.owned.has(path)) findings.push({ class: "local-configuration", path });
  }
  return findings;
}

/** Everything below a directory that is no directory itself. */
function filesBelow(tree: HostTree, directory: string): string[] {
  const files: string[] = [];
  const look = (above: string) => {
    for (const { name, isDirectory } of tree.entries(above)) {
      const path = `${above}/${name}`;
      if (isDirectory) look(path);
      else files.push(path);
    }
  };
  if (tree.node(directory)?.kind === "directory") look(directory);
  return files;
}

function judgeProgram(path: string, ownership: Ownership): Finding {
  const source = byteCodeSource(path);
  if (source !== undefined && ownership.owned.has(source)) return { class: "generated", path, reason: `byte code of ${source}` };
  if (caches.some((pattern) => pattern.test(path)) && ownership.tree.node(path)?.kind === "file")
    return { class: "generated", path, reason: "a cache" };
  return judgeAlternative(path, ownership) ?? { class: "unowned", path };
}

/** PEP 3147. */
function byteCodeSource(path: string): string | undefined {
  const [, directory, name] = /^(.*)\/__pycache__\/([^/]+)\.cpython-\d+(?:\.opt-[12])?\.pyc$/.exec(path) ?? [];
  return directory === undefined ? undefined : `${directory}/${name}.py`;
}

/** update-alternatives(1): a link to /etc/alternatives/NAME, which leads to one of the files that packages registered for it. */
function judgeAlternative(path: string, { tree, locator, owned }: Ownership): Finding | undefined {
  const target = tree.node(path)?.linkTarget;
  const name = /^\/etc\/alternatives\/([^/]+)$/.exec(target ?? "")?.[1];
  if (name === undefined) return undefined;
  const chosen = tree.node(`etc/alternatives/${name}`)?.linkTarget ?? "";
  const real = locator.follow(`etc/alternatives/${name}`);
  if (!chosen.startsWith("/") || real === undefined) return { class: "unowned", path, reason: `the alternative ${name} leads nowhere` };
  const isOwned = owned.has(real) || owned.has(locator.locate(chosen.slice(1)));
  return isOwned
    ? { class: "generated", path, reason: `alternative ${chosen}` }
    : { class: "unowned", path, reason: `the alternative ${name} is ${chosen}, of no package` };
}
