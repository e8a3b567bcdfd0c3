/** Where this process's own control groups are in the file system. */
export type ControlGroupPaths = {
  /** Version 1: one directory per controller. */
  memory?: string;
  pids?: string;
  /** Version 2: the one directory. */
  unified?: string;
};

/**
 * Joins `/proc/self/mountinfo` (proc_pid_mountinfo(5)) and `/proc/self/cgroup` (cgroups(7)):
 *
 *     35 28 0:31 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
 *     4:memory:/user/one
 *
 * gives `{ memory: "/sys/fs/cgroup/memory/user/one" }`. Inside a container the mount's root is often the container's own group; that prefix
 * is not part of the path in the file system.
 */
export function locateControlGroups(mountinfo: string, selfCgroup: string): ControlGroupPaths {
  const own = new Map<string, string>();
  for (const line of selfCgroup.split("\n")) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    for (const controller of controllers === "" ? ["unified"] : controllers.split(",")) own.set(controller, path);
  }
  const paths: ControlGroupPaths = {};
  for (const mount of mountinfo.split("\n").map(parseMount)) {
    if (mount === undefined) continue;
    const names =
      mount.type === "cgroup2" ? (["unified"] as const) : (["memory", "pids"] as const).filter((name) => mount.options.has(name));
    for (const name of names) {
      const directory = ownDirectory(mount, own.get(name));
      if (directory !== undefined) paths[name] ??= directory;
    }
  }
  return paths;
}

type Mount = { root: string; at: string; type: string; options: Set<string> };

function parseMount(line: string): Mount | undefined {
  const [, root, at, type, options] = /^\d+ \d+ \S+ (\S+) (\S+) \S+ .*?- (cgroup2?) \S+ (\S+)$/.exec(line) ?? [];
  if (root === undefined || at === undefined || type === undefined || options === undefined) return undefined;
  return { root, at, type, options: new Set(options.split(",")) };
}

function ownDirectory(mount: Mount, path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  if (mount.root === "/") return path === "/" ? mount.at : `${mount.at}${path}`;
  if (path === mount.root) return mount.at;
  return path.startsWith(`${mount.root}/`) ? `${mount.at}${path.slice(mount.root.length)}` : undefined;
}
