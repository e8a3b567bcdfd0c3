import { type Command, Option } from "commander";
import { type Done, listenAddress, trustedRootOption, wholeNumber, withLog, withPolicy, withSnapshot } from "./command-options.ts";
import type { CommandContext } from "./context.ts";

/** Commands of whoever looks after a host. */
export function addHostCommands(program: Command, context: CommandContext, done: Done): void {
  addSnapshotCommands(program, context, done);
  addWatchCommand(program, context, done);
  addExplainCommand(program, context, done);
  addGateCommands(program, context, done);
}

function addSnapshotCommands(program: Command, context: CommandContext, done: Done): void {
  withPolicy(withLog(program.command("sync")))
    .description("fetch all verdicts and manifests that the log has added, check them under your policy, and keep them for use offline")
    .argument("[url]", "the network's API; default as --url")
    .option("--into <directory>", "where the snapshot is kept; default /var/lib/quorate/snapshot")
    .option(...trustedRootOption)
    .option("--freshness <seconds>", "refuse a checkpoint that a quorum cosigned longer ago; default 259200", wholeNumber(1, 999_999))
    .addHelpText(
      "after",
      "\nExit codes: 0 synced; 1 it could not be done; 2 the log does not hold what it says; 3 its checkpoint is stale.",
    )
    .addHelpText("after", "\nExample: quorate sync https://quorate.example --policy policy --into /var/lib/quorate/snapshot")
    .action(async (url, options) => done(await (await import("./commands/sync.ts")).runSync(url, options, context)));
  withSnapshot(program.command("audit"))
    .description("compare every file of every package with what the quorum rebuilt; offline")
    .option("--root <directory>", "a chroot or a mounted disk; default this host")
    .option("--tar <file>", "a root file system in a tar, such as an export of a container or of WSL")
    .option("--cache <file>", "keep digests of files that do not change; a part of them, and all after a day, are computed again")
    .option("--oci <path>", "an image: a directory or a tar in the OCI image layout, or what docker save writes")
    .option("--json", "print JSON")
    .addOption(
      new Option("--format <format>", "print a CycloneDX 1.6 or SPDX 2.3 bill of materials, or an in-toto statement").choices([
        "cyclonedx",
        "spdx",
        "deployment",
      ]),
    )
    .option("--sign <directory>", "print the statement signed and numbered; the key is kept there, and made unless it is there")
    .addHelpText("after", auditExitCodes)
    .addHelpText("after", "\nExamples: quorate audit --root /srv/chroot/bookworm\n          quorate audit --oci image.tar --json")
    .action(async (options) => done(await (await import("./commands/audit.ts")).runAudit(options, context)));
}

function addWatchCommand(program: Command, context: CommandContext, done: Done): void {
  withSnapshot(program.command("watch"))
    .description("compare what every process runs with what the quorum rebuilt, until Ctrl-C; offline")
    .option("--once", "look once")
    .option("--interval <seconds>", "between two looks at all processes; default 10", wholeNumber(1, 3600))
    .option("--metrics <[host:]port>", "serve figures to Prometheus; default host 127.0.0.1", listenAddress)
    .option("--fleet <url>", "send signed reports to your organisation's fleet service")
    .option("--key <file>", "with --fleet: this host's private key, made when there is none; default /var/lib/quorate-watch/key")
    .option("--root <directory>", "where the file system of the processes is seen, such as /proc/PID/root; default this host's")
    .option("--jit <file>", "which programs may make code in memory; default: some of Debian's that do")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      "\nExit codes: 0 every process runs what was rebuilt; 1 something that runs is unverified, or stale after an upgrade; 2 tampering;\n3 it could not be done, not every process could be looked at, or what is known is out of date.",
    )
    .addHelpText(
      "after",
      "\nExamples: quorate watch --once\n          quorate watch --once --root /proc/4711/root --json\n          quorate watch --metrics 9842",
    )
    .action(async (options) => done(await (await import("./commands/watch.ts")).runWatch(options, context)));
}

function addExplainCommand(program: Command, context: CommandContext, done: Done): void {
  withSnapshot(program.command("explain"))
    .description("how a file, a process or a package of this host comes from its source: package, operators, log, witnesses; offline")
    .argument("<what>", "a path, a process id, a SHA-256, a package that is installed, or NAME=VERSION")
    .option("--root <directory>", "a chroot or a mounted disk; default this host")
    .option("--jit <file>", "of a process: which programs may make code in memory, as for watch")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      "\nExit codes: 0 verified; 1 nobody has reproduced it, or it is changed; 2 tampering; 3 it could not be done, or is out of date.",
    )
    .addHelpText(
      "after",
      "\nExamples: quorate explain /usr/bin/ssh\n          quorate explain 4711\n          quorate explain openssh-client=1:9.2p1-2",
    )
    .action(async (what, options) => done(await (await import("./commands/explain.ts")).runExplain(what, options, context)));
}

function addGateCommands(program: Command, context: CommandContext, done: Done): void {
  const gate = program.command("gate").description("have apt ask, before it unpacks anything, whether it was rebuilt");
  const below = (command: Command) => command.option("--etc <directory>", "where apt and the gate are configured; default /etc");
  below(gate.command("install"))
    .description("have apt ask; settings that are there stay")
    .addOption(
      new Option("--mode <mode>", "observe, warn about what is not verified, or enforce; default warn").choices([
        "observe",
        "warn",
        "enforce",
      ]),
    )
    .option("--snapshot <directory>", "what quorate sync has kept; default /var/lib/quorate/snapshot")
    .addHelpText("after", "\nExample: quorate gate install --mode enforce")
    .action(async (options) => done(await (await import("./commands/gate.ts")).runGateInstall(options, context)));
  below(gate.command("remove"))
    .description("have apt ask no more")
    .action(async (options) => done(await (await import("./commands/gate.ts")).runGateRemove(options, context)));
  below(gate.command("test"))
    .description("whether apt asks, and whether what is known is up to date")
    .action(async (options) => done(await (await import("./commands/gate.ts")).runGateTest(options, context)));
  const asked = (command: Command) => command.requiredOption("--settings <file>", "settings of the gate");
  asked(gate.command("hook"))
    .description("what apt runs before it unpacks anything")
    .action(async (options) => done(await (await import("./commands/gate-hook.ts")).runGateHook(options, context)));
  asked(gate.command("prompt"))
    .description("what apt runs before it asks whether to go on")
    .action(async (options) => done(await (await import("./commands/gate-prompt.ts")).runGatePrompt(options, context)));
  withSnapshot(gate.command("check"))
    .description("whether package files are what was rebuilt; for scripts")
    .argument("[files...]", "package files, named as in an archive")
    .option("--lockfile <file>", "what sha256sum writes of package files, or the environment lock of a rebuild")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      "\nExit codes: 0 all are verified; 1 not all; 2 one has other bytes than were rebuilt; 3 it could not be done, or is out of date.",
    )
    .addHelpText("after", "\nExamples: quorate gate check pool/*.deb\n          quorate gate check --lockfile SHA256SUMS")
    .action(async (files, options) => done(await (await import("./commands/gate-check.ts")).runGateCheck(files, options, context)));
}

const auditExitCodes = `
Exit codes: 0 every file of every package is verified; 1 something is unverified, missing or changed; 2 tampering; 3 it could not
be done, not everything could be looked at, or what is known is out of date.`;
