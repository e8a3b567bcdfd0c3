import { unreachable } from "@quorate/protocol/unreachable";
import { formatShellCommand, formatShellWord } from "./shell-words.ts";

/** The user that builds, as on the distribution's own builders: neither the id nor the name exists on an ordinary host. */
export const builderId = 2952;

export const sandboxHostName = "quorate";

/** A root of its own, made of layers, into which nothing of the host's tree reaches. */
export type OverlayRoot = {
  kind: "overlay";
  /** Read-only trees, the topmost first. This and the other paths are relative to `directory`, which keeps overlay options short. */
  lowers: readonly string[];
  /** Where writes go: memory that vanishes with the sandbox, or a directory with `upper` and `work` in it. */
  upper: { kind: "memory"; sizeBytes: number } | { kind: "directory"; path: string };
  /** Host directories that appear read-only inside. */
  binds: readonly { from: string; at: string }[];
};

export type SandboxScript = {
  /** Below which everything lies that belongs to sandboxes. */
  directory: string;
  /** An empty directory for this sandbox alone, relative. */
  mountPoint: string;
  /** `host`: the host's own tree, in the sandbox's namespaces: for the program that makes a root in the first place. */
  root: OverlayRoot | { kind: "host" };
  /** Control groups' files, to join them. */
  joinFiles: readonly string[];
  /** A command that makes the pinned archive reachable inside; without it there is no network but an empty loopback. */
  forwarder?: readonly string[];
};

/**
 * The shell program that becomes process 1 of the new namespaces. It first sees the host's tree, in a mount namespace of its own; for an
 * overlay root it moves that over `/`, so that no path leads to the host's tree any more, and goes on in there as {@link formatInit}.
 */
export function formatSandboxScript({ directory, mountPoint, root, joinFiles, forwarder }: SandboxScript): string {
  const init = formatQuotedProgram(formatInit(forwarder !== undefined));
  return [
    "set -eu",
    "umask 022",
    ...joinFiles.map((file) => `echo 0 >${formatShellWord(file)}`),
    // When memory runs out on the whole host, builds go first.
    "echo 500 >/proc/self/oom_score_adj",
    "ip link set lo up",
    // It says itself on descriptor 4 when it listens.
    ...(forwarder === undefined ? [] : [`${formatShellCommand(forwarder)} 3<&- 5>&- &`]),
    `cd ${formatShellWord(directory)}`,
    ...(root.kind === "overlay" ? formatOverlay(root, mountPoint) : []),
    root.kind === "overlay" ? `exec chroot . /bin/sh -c ${init}` : `exec /bin/sh -c ${init}`,
  ].join("\n");
}

function formatOverlay({ lowers, upper, binds }: OverlayRoot, top: string): string[] {
  const root = `${top}/root`;
  const sizeBytes = upper.kind === "memory" ? upper.sizeBytes : 1024 * 1024;
  const writable = upper.kind === "memory" ? top : upper.path;
  // Of the kernel's defaults only those that every host has: a layer must not remember the inodes of the base that it was made on.
  const overlay = `index=off,metacopy=off,redirect_dir=off,lowerdir=${lowers.join(":")},upperdir=${writable}/upper,workdir=${writable}/work`;
  return [
    `mount -t tmpfs -o mode=0755,nosuid,size=${sizeBytes},nr_inodes=${inodesFor(sizeBytes)} quorate ${formatShellWord(top)}`,
    ...(upper.kind === "memory" ? [formatShellCommand(["mkdir", `${top}/upper`, `${top}/work`])] : []),
    formatShellCommand(["mkdir", root]),
    formatShellCommand(["mount", "-t", "overlay", "-o", overlay, "quorate", root]),
    ...formatDevices(root),
    ...binds.flatMap(({ from, at }) => [
      formatShellCommand(["mkdir", "-p", `${root}${at}`]),
      formatShellCommand(["mount", "--bind", from, `${root}${at}`]),
      formatShellCommand(["mount", "-o", "remount,bind,ro,nosuid,nodev", `${root}${at}`]),
    ]),
    `echo ${sandboxHostName} >${formatShellWord(`${root}/proc/sys/kernel/hostname`)}`,
    formatShellCommand(["cd", root]),
    "mount --move . /",
  ];
}

/** A file takes at least an inode; the kernel's own ceiling for a tmpfs depends on the host's memory, this one on the limit. */
function inodesFor(sizeBytes: number): number {
  return Math.max(4096, Math.ceil(sizeBytes / 4096));
}

function formatDevices(root: string): string[] {
  const q = (path: string) => formatShellWord(`${root}${path}`);
  const nodes = ["null", "zero", "full", "random", "urandom", "tty"];
  return [
    `mount -t proc -o nosuid,nodev,noexec proc ${q("/proc")}`,
    `mount -t tmpfs -o mode=0755,nosuid,size=1m,nr_inodes=256 dev ${q("/dev")}`,
    ...nodes.map((node) => `: >${q(`/dev/${node}`)}; mount --bind /dev/${node} ${q(`/dev/${node}`)}`),
    `mkdir ${q("/dev/pts")} ${q("/dev/shm")}`,
    `mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5,nosuid,noexec devpts ${q("/dev/pts")}`,
    `mount -t tmpfs -o mode=1777,nosuid,nodev,size=256m shm ${q("/dev/shm")}`,
    `ln -s pts/ptmx ${q("/dev/ptmx")}`,
    `ln -s /proc/self/fd ${q("/dev/fd")}`,
    ...["stdin", "stdout", "stderr"].map((name, fd) => `ln -s /proc/self/fd/${fd} ${q(`/dev/${name}`)}`),
  ];
}

/**
 * Process 1 inside: one command per line from descriptor 3, its exit status to descriptor 4, its output to descriptor 5. After
 * each command everything that it left running is killed, so that nobody changes the tree while it is read from outside.
 */
function formatInit(keepsForwarder: boolean): string {
  return [
    "echo ready >&4",
    "while IFS= read -r command <&3; do",
    `  (eval "$command") </dev/null >&5 2>&5 3<&- 4>&- 5>&-`,
    "  status=$?",
    ...(keepsForwarder ? [] : ["  kill -9 -1 2>/dev/null"]),
    `  echo "exit $status" >&4`,
    "done",
  ].join("\n");
}

function formatQuotedProgram(program: string): string {
  return `'${program.replaceAll("'", `'\\''`)}'`;
}

export type SandboxCommand = {
  words: readonly string[];
  /**
   * `builder` has no privilege at all; `root` keeps what dpkg and maintainer scripts need and nothing that reaches the kernel or devices;
   * `host-root` has it all, for programs of the host that are not built code.
   */
  user: "builder" | "root" | "host-root";
  workingDirectory: string;
  environment: Readonly<Record<string, string>>;
};

const withheldFromRoot = ["sys_admin", "sys_module", "sys_rawio", "sys_boot", "sys_time", "sys_ptrace", "net_admin", "mknod"];

/** The line that process 1 evaluates for a command. `processes` bounds the user's processes where no control group does. */
export function formatSandboxCommand(command: SandboxCommand, processes?: number): string {
  const nproc = processes === undefined ? [] : [`--nproc=${processes}`];
  const limits = ["prlimit", "--core=0", "--nofile=1024:", "--stack=8388608:", ...nproc, "--"];
  const environment = ["env", "-i", ...Object.entries(command.environment).map(([name, value]) => `${name}=${value}`)];
  const words = [...limits, ...formatPrivileges(command.user), ...environment, ...command.words];
  return `umask 0022; cd ${formatShellWord(command.workingDirectory)} && exec ${formatShellCommand(words)}`;
}

function formatPrivileges(user: SandboxCommand["user"]): string[] {
  switch (user) {
    case "host-root":
      return [];
    case "root":
      return ["setpriv", "--no-new-privs", `--bounding-set=${withheldFromRoot.map((name) => `-${name}`).join(",")}`, "--"];
    case "builder": {
      const identity = [`--reuid=${builderId}`, `--regid=${builderId}`, "--clear-groups"];
      return ["setpriv", ...identity, "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all", "--"];
    }
    default:
      return unreachable(user);
  }
}
