import { formatShellCommand, formatShellWord } from "./shell-words.ts";

/** The user that builds, as on the distribution's own builders: neither the id nor the name exists on an ordinary host. */
export const builderId = 2952;

export const sandboxHostName = "quorate";

export type SandboxRoot = {
  /** Directory below which all other paths are; relative names keep overlay options short and free of special characters. */
  directory: string;
  /** An empty directory for this sandbox alone, relative. */
  mountPoint: string;
  /** Read-only trees, the topmost first, relative. */
  lowers: readonly string[];
  /** Where writes go: memory that vanishes with the sandbox, or a directory (relative) with `upper` and `work` in it. */
  upper: { kind: "memory"; sizeBytes: number } | { kind: "directory"; path: string };
  /** Host directories that appear read-only inside. */
  binds: readonly { from: string; at: string }[];
};

export type SandboxScript = SandboxRoot & {
  joinFiles: readonly string[];
  /** Command that makes the pinned archive reachable inside the network namespace; without it there is no network but loopback. */
  archiveForwarder?: readonly string[];
};

/**
 * The shell program that becomes process 1 of the new namespaces. It first sees the host's tree, in a mount namespace of its own; it builds
 * the new root, moves it over `/`, so that no path leads to the host's tree any more, and goes on in there as {@link formatInit}.
 */
export function formatSandboxScript(script: SandboxScript): string {
  const q = formatShellWord;
  const top = script.mountPoint;
  const root = `${top}/root`;
  const size = script.upper.kind === "memory" ? script.upper.sizeBytes : 1024 * 1024;
  const upper = script.upper.kind === "memory" ? top : script.upper.path;
  const overlay = `lowerdir=${script.lowers.join(":")},upperdir=${upper}/upper,workdir=${upper}/work`;
  return [
    "set -eu",
    "umask 022",
    ...script.joinFiles.map((file) => `echo 0 >${q(file)}`),
    // When memory runs out on the whole host, builds go first.
    "echo 500 >/proc/self/oom_score_adj",
    `cd ${q(script.directory)}`,
    "ip link set lo up",
    ...(script.archiveForwarder === undefined ? [] : [`${formatShellCommand(script.archiveForwarder)} 3<&- 4>&- 5>&- &`]),
    formatShellCommand(["mount", "-t", "tmpfs", "-o", `mode=0755,nosuid,size=${size},nr_inodes=${inodesFor(size)}`, "quorate", top]),
    ...(script.upper.kind === "memory" ? [`mkdir ${q(`${top}/upper`)} ${q(`${top}/work`)}`] : []),
    `mkdir ${q(root)}`,
    formatShellCommand(["mount", "-t", "overlay", "-o", overlay, "quorate", root]),
    ...formatDevices(root),
    ...script.binds.flatMap(({ from, at }) => [
      formatShellCommand(["mkdir", "-p", `${root}${at}`]),
      formatShellCommand(["mount", "--bind", from, `${root}${at}`]),
      formatShellCommand(["mount", "-o", "remount,bind,ro,nosuid,nodev", `${root}${at}`]),
    ]),
    `echo ${sandboxHostName} >${q(`${root}/proc/sys/kernel/hostname`)}`,
    `cd ${q(root)}`,
    "mount --move . /",
    `exec chroot . /bin/sh -c ${formatQuotedProgram(formatInit(script.archiveForwarder !== undefined))}`,
  ].join("\n");
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
  /** `builder` has no privilege at all; `root` keeps what dpkg and maintainer scripts need and nothing that reaches the kernel or devices. */
  user: "builder" | "root";
  workingDirectory: string;
  environment: Readonly<Record<string, string>>;
};

const withheldFromRoot = ["sys_admin", "sys_module", "sys_rawio", "sys_boot", "sys_time", "sys_ptrace", "net_admin", "mknod"];

/** The line that process 1 evaluates for a command. `processes` bounds the user's processes where no control group does. */
export function formatSandboxCommand(command: SandboxCommand, processes?: number): string {
  const nproc = processes === undefined ? [] : [`--nproc=${processes}`];
  const limits = ["prlimit", "--core=0", "--nofile=1024:", "--stack=8388608:", ...nproc, "--"];
  const privileges =
    command.user === "builder"
      ? [
          "setpriv",
          `--reuid=${builderId}`,
          `--regid=${builderId}`,
          "--clear-groups",
          "--no-new-privs",
          "--inh-caps=-all",
          "--bounding-set=-all",
        ]
      : ["setpriv", "--no-new-privs", `--bounding-set=${withheldFromRoot.map((name) => `-${name}`).join(",")}`];
  const environment = ["env", "-i", ...Object.entries(command.environment).map(([name, value]) => `${name}=${value}`)];
  const words = [...limits, ...privileges, "--", ...environment, ...command.words];
  return `umask 0022; cd ${formatShellWord(command.workingDirectory)} && exec ${formatShellCommand(words)}`;
}
