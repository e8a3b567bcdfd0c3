import { mkdir, readFile, readdir, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type ControlGroupPaths, locateControlGroups } from "./control-group-paths.ts";

export type ControlGroupLimits = { memoryBytes: number; processes: number };

/** A kernel-enforced bound on one build, in child groups of this process's own group. */
export interface ControlGroup extends AsyncDisposable {
  /** For the sandbox's profile: `cgroup1`, `cgroup2`, or `no-cgroup` where none is writable. */
  readonly kind: "cgroup1" | "cgroup2" | "no-cgroup";
  /** Files to which a process writes `0` to come under the limits. */
  readonly joinFiles: readonly string[];
  /** The limits that the build ran into. */
  exceeded(): Promise<("memory" | "processes")[]>;
}

const prefix = "quorate-build-";

export async function createControlGroup(limits: ControlGroupLimits): Promise<ControlGroup> {
  const paths = locateControlGroups(await readFile("/proc/self/mountinfo", "utf8"), await readFile("/proc/self/cgroup", "utf8"));
  const name = `${prefix}${process.pid}-${crypto.randomUUID().slice(0, 8)}`;
  const made: string[] = [];
  try {
    if (paths.memory !== undefined && paths.pids !== undefined) {
      return await createVersion1({ memory: join(paths.memory, name), pids: join(paths.pids, name) }, limits, made);
    }
    if (paths.unified !== undefined) return await createVersion2(paths.unified, { name, limits, made });
  } catch (error) {
    await removeGroups(made);
    if (!isRefusal(error)) throw error;
  }
  return { kind: "no-cgroup", joinFiles: [], exceeded: async () => [], [Symbol.asyncDispose]: async () => {} };
}

async function createVersion1(group: { memory: string; pids: string }, limits: ControlGroupLimits, made: string[]): Promise<ControlGroup> {
  for (const directory of [group.memory, group.pids]) {
    await mkdir(directory);
    made.push(directory);
  }
  await writeFile(join(group.memory, "memory.limit_in_bytes"), String(limits.memoryBytes));
  // Only where the kernel accounts for swap.
  await writeFile(join(group.memory, "memory.memsw.limit_in_bytes"), String(limits.memoryBytes)).catch(() => {});
  await writeFile(join(group.pids, "pids.max"), String(limits.processes));
  return {
    kind: "cgroup1",
    joinFiles: made.map((directory) => join(directory, "cgroup.procs")),
    exceeded: () => readExceeded(join(group.memory, "memory.oom_control"), join(group.pids, "pids.events")),
    [Symbol.asyncDispose]: () => removeGroups(made),
  };
}

async function createVersion2(
  own: string,
  { name, limits, made }: { name: string; limits: ControlGroupLimits; made: string[] },
): Promise<ControlGroup> {
  // A group that has processes of its own cannot pass controllers on (cgroups(7), "no internal processes"): then a sibling serves.
  const parent = (await passesOn(own)) ? own : dirname(own);
  if (parent !== own && !(await passesOn(parent))) throw Object.assign(new Error(`no controllers below ${parent}`), { code: "EBUSY" });
  const directory = join(parent, name);
  await mkdir(directory);
  made.push(directory);
  await writeFile(join(directory, "memory.max"), String(limits.memoryBytes));
  await writeFile(join(directory, "memory.swap.max"), "0").catch(() => {});
  await writeFile(join(directory, "pids.max"), String(limits.processes));
  return {
    kind: "cgroup2",
    joinFiles: [join(directory, "cgroup.procs")],
    exceeded: () => readExceeded(join(directory, "memory.events"), join(directory, "pids.events")),
    [Symbol.asyncDispose]: () => removeGroups(made),
  };
}

async function passesOn(directory: string): Promise<boolean> {
  const control = join(directory, "cgroup.subtree_control");
  const enabled = async () => new Set((await readFile(control, "utf8")).trim().split(/\s+/));
  const isComplete = (names: Set<string>) => names.has("memory") && names.has("pids");
  try {
    if (isComplete(await enabled())) return true;
    await writeFile(control, "+memory +pids");
    return isComplete(await enabled());
  } catch (error) {
    if (isRefusal(error)) return false;
    throw error;
  }
}

async function readExceeded(memoryEvents: string, pidsEvents: string): Promise<("memory" | "processes")[]> {
  const count = async (file: string, key: string) => {
    const text = await readFile(file, "utf8").catch(() => "");
    return Number(new RegExp(`^${key} (\\d+)$`, "m").exec(text)?.[1] ?? 0);
  };
  const exceeded: ("memory" | "processes")[] = [];
  if ((await count(memoryEvents, "oom_kill")) > 0) exceeded.push("memory");
  if ((await count(pidsEvents, "max")) > 0) exceeded.push("processes");
  return exceeded;
}

/** A group can be removed as soon as the kernel has reaped its last process, which is a moment after the last process was killed. */
async function removeGroups(directories: readonly string[]): Promise<void> {
  for (const directory of directories) {
    for (let attempt = 0; ; attempt += 1) {
      try {
        await rmdir(directory);
        break;
      } catch (error) {
        if (codeOf(error) === "ENOENT") break;
        if (codeOf(error) !== "EBUSY" || attempt === 200) throw error;
        await pause(10);
      }
    }
  }
}

/** Removes the groups of workers that died; one that still has processes stays. */
export async function removeLeftoverGroups(): Promise<void> {
  const paths: ControlGroupPaths = locateControlGroups(
    await readFile("/proc/self/mountinfo", "utf8"),
    await readFile("/proc/self/cgroup", "utf8"),
  );
  const unified = paths.unified === undefined ? [] : [paths.unified, dirname(paths.unified)];
  for (const directory of [paths.memory, paths.pids, ...unified]) {
    if (directory === undefined) continue;
    for (const name of await readdir(directory).catch(() => [])) {
      const pid = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1];
      if (pid !== undefined && !isAlive(Number(pid))) await rmdir(join(directory, name)).catch(() => {});
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) !== "ESRCH";
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

function isRefusal(error: unknown): boolean {
  return ["EACCES", "EPERM", "EROFS", "EBUSY", "ENOENT", "EOPNOTSUPP", "ENOTSUP"].includes(String(codeOf(error)));
}
