import type { Command } from "commander";
import { type Done, wholeNumber } from "./command-options.ts";
import type { CommandContext } from "./context.ts";

/** Commands of whoever runs workers. */
export function addOperatorCommands(program: Command, context: CommandContext, done: Done): void {
  const operator = program.command("operator").description("be an operator: keys, and joining a network");
  addJoiningCommands(operator, context, done);
  addKeyCommands(operator, context, done);
  addWorkerCommands(program, context, done);
}

const joiningExample = `
Example, a whole way in:
  quorate operator init --name "Ada's rebuilder" --country SE
  quorate operator enrol https://network.example
  quorate worker`;

const keylessExample = `
Example, without a key, where a token is kept in a file:
  quorate operator init --name "Ada's rebuilder" --keyless-issuer https://token.example --keyless-subject https://git.example/ada \\
    --keyless-token-file /run/token --fulcio https://fulcio.example --timestamp-authority https://timestamp.example`;

function addJoiningCommands(operator: Command, context: CommandContext, done: Done): void {
  withOperator(operator.command("init"))
    .description("make an operator: keys that never leave this machine, and what it says of itself")
    .requiredOption("--name <name>", "what everyone calls it")
    .option("--contact <text>", "how people reach whoever runs it; everyone sees it")
    .option("--organisation <name>", "what it belongs to: operators that share one of these may be counted once")
    .option("--country <code>", "two letters, such as SE")
    .option("--funder <name>", "who pays for it")
    .option("--hosting <name>", "who hosts its machines")
    .option("--hostname <name>", "under which the network answers for this operator alone")
    .option("--witness <vkey>", "verifier key of the witness that it runs")
    .option("--architecture <name...>", "what it builds; default this machine's, and all")
    .option("--keyless-issuer <url>", "no identity key: sign as whom this OpenID Connect issuer knows; needs the four options below")
    .option("--keyless-subject <subject>", "the mail address or URI that its certificates name")
    .option("--keyless-token-file <file>", "file with a token for the audience sigstore, which something else keeps fresh")
    .option("--fulcio <url>", "the certificate authority, such as https://fulcio.sigstore.dev")
    .option("--timestamp-authority <url>", "the timestamp authority (RFC 3161)")
    .addHelpText("after", joiningExample + keylessExample)
    .action(async (options) => done(await (await import("./commands/operator.ts")).runOperatorInit(options, context)));
  withOperator(operator.command("enrol"))
    .description("ask a network to admit this operator")
    .argument("<url>", "the network's API, such as https://network.example")
    .option("--invitation <code>", "code that admits at once; without it whoever runs the network decides")
    .addHelpText("after", joiningExample)
    .action(async (url, options) => done(await (await import("./commands/operator.ts")).runOperatorEnrol(url, options, context)));
  withOperator(operator.command("status"))
    .description("this operator, whether it is admitted, and its workers")
    .action(async (options) => done(await (await import("./commands/operator.ts")).runOperatorStatus(options, context)));
}

function addKeyCommands(operator: Command, context: CommandContext, done: Done): void {
  withOperator(operator.command("rotate"))
    .description("change to a new key, signed by the old one and the new one; the operator's id stays")
    .addHelpText(
      "after",
      "\nExample, after a machine was lost, with a backup of the operator's directory:\n  quorate operator rotate --operator /mnt/backup/operator",
    )
    .action(async (options) => done(await (await import("./commands/operator.ts")).runOperatorRotate(options, context)));
  withOperator(operator.command("revoke"))
    .description("leave the network for ever: results after it do not count")
    .requiredOption("--reason <text>", "for everyone to read")
    .action(async (options) => done(await (await import("./commands/operator.ts")).runOperatorRevoke(options, context)));
}

function addWorkerCommands(program: Command, context: CommandContext, done: Done): void {
  const worker = withWorker(program.command("worker"))
    .description("rebuild what this operator is drawn for, until Ctrl-C")
    .option("--name <name>", "name of this worker among the operator's; everyone sees it")
    .option("--tags <words>", "words that describe it, with commas between; everyone sees them")
    .option("--cores <count>", "CPUs of one build; default all", wholeNumber(1, 1024))
    .option("--memory <MiB>", "memory of one build; default 4096, or three quarters of what there is", wholeNumber(64, 999_999))
    .option("--disk <MiB>", "disk space of one build; default 16384, or four fifths of what is free", wholeNumber(64, 999_999))
    .option("--mirror <url>", "archive mirror; default the one that this host's apt uses")
    .option("--once", "end after one job, when its result is revealed")
    .option("--check", "check this machine, say what would be done, and end")
    .addHelpText("after", joiningExample)
    .action(async (options) => done(await (await import("./commands/worker.ts")).runWorker(options, context)));
  const sub = (name: string) => withWorker(worker.command(name));
  sub("status")
    .description("what this machine's worker does")
    .action(async (_, command: Command) =>
      done(await (await import("./commands/worker.ts")).runWorkerStatus(command.optsWithGlobals(), context)),
    );
  sub("pause")
    .description("finish the job in hand, and take no other")
    .action(async (_, command: Command) =>
      done(await (await import("./commands/worker.ts")).runWorkerPause(command.optsWithGlobals(), context)),
    );
  sub("resume")
    .description("take jobs again")
    .action(async (_, command: Command) =>
      done(await (await import("./commands/worker.ts")).runWorkerResume(command.optsWithGlobals(), context)),
    );
  sub("leave")
    .description("end a worker's credentials: this machine's, or those of one that is lost")
    .argument("[worker]", "as `quorate operator status` names it; default this machine's")
    .option("--force", "although results of it are not revealed yet")
    .action(async (key, _, command: Command) =>
      done(await (await import("./commands/worker.ts")).runWorkerLeave(key, command.optsWithGlobals(), context)),
    );
}

function withOperator(command: Command): Command {
  return command
    .option("--operator <directory>", "the operator's directory; default QUORATE_OPERATOR, then ~/.local/share/quorate-operator")
    .option("--passphrase-file <file>", "file whose first line is the passphrase of its keys; default QUORATE_PASSPHRASE_FILE, then none")
    .option("--json", "print JSON");
}

function withWorker(command: Command): Command {
  return withOperator(command).option(
    "--data <directory>",
    "the worker's directory; default QUORATE_WORKER, then ~/.local/share/quorate-worker",
  );
}
