import { Command, CommanderError, Option } from "commander";
import { exitCodes, type ExitCode } from "./command-error.ts";
import {
  type Done,
  listenAddress,
  trustedRootOption,
  wholeNumber,
  withConnection,
  withLog,
  withPolicy,
  withUpOptions,
} from "./command-options.ts";
import type { CommandContext } from "./context.ts";
import { addHostCommands } from "./host-program.ts";
import { addNetworkCommands } from "./network-program.ts";
import { addOperatorCommands } from "./operator-program.ts";
import { addWebhookCommands } from "./webhook-program.ts";

const exitCodeHelp = `
Exit codes: 0 done, verified or reproduced; 1 it could not be done; 2 verification failed; 3 a verdict other than
reproduced; 77 the worker is no longer wanted; 130 interrupted; 141 its output was closed before it was done.
Environment: QUORATE_URL and QUORATE_TOKEN name a network and a project's token; QUORATE_DATA the data directory.`;

/** Parses the arguments and runs the command. Nothing that a command needs is loaded before it is chosen. */
export async function runProgram(argv: readonly string[], context: CommandContext): Promise<ExitCode> {
  let exitCode: ExitCode = exitCodes.ok;
  try {
    await createProgram(context, (code) => (exitCode = code)).parseAsync(argv, { from: "user" });
    return exitCode;
  } catch (error) {
    // Commander has said what is wrong already.
    if (error instanceof CommanderError) return Object.values(exitCodes).find((code) => code === error.exitCode) ?? exitCodes.failed;
    throw error;
  }
}

export function createProgram(context: CommandContext, done: Done): Command {
  const program = new Command("quorate")
    .description("Independent rebuilds of distribution packages, with verdicts that anyone can check.")
    .addHelpText("after", exitCodeHelp)
    .showHelpAfterError("(quorate --help lists the commands)")
    .exitOverride();
  addUpCommands(program, context, done);
  addRebuildCommands(program, context, done);
  addWebhookCommands(program, context, done);
  addVerificationCommands(program, context, done);
  addTraceCommands(program, context, done);
  addLogCommands(program, context, done);
  addOperatorCommands(program, context, done);
  addNetworkCommands(program, context, done);
  addMonitoringCommands(program, context, done);
  addHostCommands(program, context, done);
  return program;
}

function addUpCommands(program: Command, context: CommandContext, done: Done): void {
  withUpOptions(program.command("up"))
    .description("run a whole network on this host, until Ctrl-C; again to go on where it was")
    .action(async (options) => done(await (await import("./commands/up.ts")).runUp(options, context)));
  withUpOptions(program.command("start"))
    .description("as up, and rebuild one package with all operators: what `npm start` runs")
    .option("--once", "exit after the verdict; 0 only if it is reproduced")
    .option("--suite <suite>", "suite of the package; default this host's, or bookworm")
    .option("--package <source>", "source package; default mailgraph")
    .option("--version <version>", "its version; default the newest in the suite")
    .option("--arch <architecture>", "one architecture; default all that the source builds here")
    .action(async (options) => done(await (await import("./commands/start.ts")).runStart(options, context)));
}

function addRebuildCommands(program: Command, context: CommandContext, done: Done): void {
  withConnection(program.command("submit"))
    .description("have a source package rebuilt")
    .argument("<distribution/suite>", "such as debian/bookworm")
    .argument("<package>", "name of the source package")
    .option("--version <version>", "its version; default the newest in the suite")
    .option("--arch <architecture>", "one architecture, or all; default all that the source builds")
    .option("--wait", "show the rebuild and wait for the verdict; exit 0 only if it is reproduced")
    .action(async (suite, source, options) =>
      done(await (await import("./commands/submit.ts")).runSubmit(suite, source, options, context)),
    );
  withConnection(program.command("submit-list"))
    .description("have many source packages rebuilt; exit 1 if one is refused")
    .argument("<file>", "lines of DISTRIBUTION/SUITE PACKAGE [VERSION [ARCHITECTURE]]; - for standard input")
    .option("--dry-run", "store and build nothing: say what would be taken, and why the rest would not")
    .action(async (file, options) => done(await (await import("./commands/submit-list.ts")).runSubmitList(file, options, context)))
    .addHelpText(
      "after",
      "\nExamples:\n  quorate submit-list failed.txt --dry-run\n  grep-dctrl -n -sPackage . Sources | sed 's|^|debian/trixie |' | quorate submit-list -",
    );
  withConnection(program.command("project"))
    .description("show your project: its quota, what it has submitted, what fails, what it cost")
    .option("--failing", "only submissions with a target whose newest verdict is not reproduced")
    .option("--limit <count>", "how many of the newest submissions; default 10", wholeNumber(1, 200), 10)
    .action(async (options) => done(await (await import("./commands/project.ts")).runProject(options, context)));
  withConnection(program.command("status"))
    .description("show the network, or one submission, round or operator")
    .argument("[id]", "a submission's, a round's or an operator's id")
    .action(async (id, options) => done(await (await import("./commands/status.ts")).runStatus(id, options, context)));
}

function addVerificationCommands(program: Command, context: CommandContext, done: Done): void {
  withConnection(program.command("verify"))
    .description("check that a package file was rebuilt bit for bit; offline with --proof and --policy")
    .argument("<file.deb>", "the package file")
    .option("--proof <file>", "proof file; default: fetched from the network")
    .option("--policy <file>", "whom you trust; default: the policy in the data directory")
    .option(...trustedRootOption)
    .action(async (file, options) => done(await (await import("./commands/verify.ts")).runVerify(file, options, context)));
  withConnection(program.command("proof"))
    .description("fetch the proof of a package's newest verdict")
    .argument("<artifact>", "a package file, its SHA-256, or NAME[=VERSION]")
    .option("-o, --output <file>", "where to write it, - for standard output; default NAME.proof.json")
    .action(async (artifact, options) => done(await (await import("./commands/proof.ts")).runProof(artifact, options, context)));
  withConnection(program.command("replay"))
    .description("read the whole log and recompute every verdict in it")
    .option("--log <url or directory>", "the log; default: the one that the policy or the network names")
    .option("--policy <file>", "keys of the log, its witnesses and the network; default: the policy in the data directory")
    .option("--state <file>", "remember what was replayed, and go on from there")
    .option(...trustedRootOption)
    .option("--rules <file>", "rules of a policy of your own: say which verdicts would be others under it")
    .action(async (options) => done(await (await import("./commands/replay.ts")).runReplay(options, context)));
}

function addTraceCommands(program: Command, context: CommandContext, done: Done): void {
  withPolicy(withLog(program.command("trace").description("build traces: what a build made on its way").command("diff")))
    .description(
      "compare the build traces of two results, file by file; exit 0 if they are the same, 1 if they differ, 2 if they cannot be compared",
    )
    .argument("<result>", "a result's log index, ROUND/OPERATOR, or a file: a result's bundle or envelope, or a build trace")
    .argument("<result>", "another")
    .addHelpText("after", traceDiffExamples)
    // As with diff(1), arguments that are wrong are not the difference that 1 stands for.
    .exitOverride(({ exitCode, code, message }) => {
      throw new CommanderError(exitCode === 0 ? exitCode : exitCodes.refuted, code, message);
    })
    .action(async (first, second, options) =>
      done(await (await import("./commands/trace-diff.ts")).runTraceDiff([first, second], options, context)),
    );
}

const traceDiffExamples = `
Examples:
  quorate trace diff 41 43
  quorate trace diff "$ROUND/alder" "$ROUND/birch" --json
  quorate trace diff mailgraph.sigstore.json 43`;

function addLogCommands(program: Command, context: CommandContext, done: Done): void {
  const log = program.command("log").description("read the log");
  addLogReaderCommands(log, context, done);
  withLog(log.command("checkpoint"))
    .description("the newest checkpoint with its cosignatures")
    .action(async (options) => done(await (await import("./commands/log.ts")).runLogCheckpoint(options, context)));
  withLog(log.command("entries"))
    .description("entries, one line each; with --json one object a line")
    .option("--from <index>", "the first; default 0")
    .option("--to <index>", "the one after the last; default the log's size")
    .action(async (options) => done(await (await import("./commands/log.ts")).runLogEntries(options, context)));
  withLog(log.command("entry"))
    .description("one entry's statement")
    .argument("<index>")
    .action(async (index, options) => done(await (await import("./commands/log.ts")).runLogEntry(index, options, context)));
  log
    .command("key")
    .description("show the verifier key of a log's or a witness's private key; make the private key if there is none")
    .argument("<file>", "the private key")
    .option("--name <name>", "of a new key: what the log or the witness is called, such as log.example.org/quorate")
    .addOption(new Option("--for <use>", "of a new key; default log").choices(["log", "witness", "second-signature"]))
    .option("--json", "print JSON")
    .addHelpText("after", "\nExample: quorate log key witness.key --for witness --name witness.example.org/ours")
    .action(async (file, options) => done((await import("./commands/log-key.ts")).runLogKey(file, options, context)));
}

function addLogReaderCommands(log: Command, context: CommandContext, done: Done): void {
  withPolicy(withLog(log.command("fsck")))
    .description("hash every file of the log again, and compare with its cosigned checkpoint; 2 if a file is missing or wrong")
    .option("--state <file>", "remember what was checked, and check what is new")
    .action(async (options) => done(await (await import("./commands/fsck.ts")).runLogFsck(options, context)));
  withPolicy(withLog(log.command("mirror")))
    .description("copy the log into a directory that any web server can serve, or bring the copy up to date")
    .argument("<directory>")
    .option("--serve <[host:]port>", "go on copying, and serve the copy as the log is served; default host 127.0.0.1", listenAddress)
    .option("--interval <seconds>", "with --serve: between two copies; default 10", wholeNumber(1, 999_999))
    .addHelpText("after", "\nExample: quorate log mirror /srv/log --log https://log.example --policy policy --serve 0.0.0.0:8080")
    .action(async (directory, options) => done(await (await import("./commands/mirror.ts")).runLogMirror(directory, options, context)));
}

function addMonitoringCommands(program: Command, context: CommandContext, done: Done): void {
  withPolicy(withLog(program.command("monitor")))
    .description(
      "keep every checkpoint that the log, its witnesses and mirrors show, recompute verdicts, and alert when something is wrong",
    )
    .argument("<directory>", "where checkpoints and evidence are kept")
    .option("--mirror <url or directory...>", "mirrors to look at too")
    .option(...trustedRootOption)
    .option("--once", "look once; exit 2 if there is an alert")
    .option("--interval <seconds>", "between two looks; default 60", wholeNumber(1, 999_999))
    .option("--freshness <seconds>", "how old cosignatures, or how far behind a witness, may be; default 3600", wholeNumber(1, 999_999))
    .addHelpText("after", "\nExample: quorate monitor /var/lib/quorate-monitor --policy policy --mirror https://mirror.example/log")
    .action(async (directory, options) => done(await (await import("./commands/monitor.ts")).runMonitor(directory, options, context)));
  withPolicy(program.command("verify-evidence"))
    .description("check that a log signed two histories; offline; 2 if the file proves nothing")
    .argument("<file>", "what quorate monitor wrote")
    .option("--data <directory>", "data directory of a network on this host; default ~/.local/share/quorate")
    .option("--json", "print JSON")
    .addHelpText("after", "\nExample: quorate verify-evidence watch/equivocation-*.json --policy policy")
    .action(async (file, options) => done(await (await import("./commands/verify-evidence.ts")).runVerifyEvidence(file, options, context)));
}
