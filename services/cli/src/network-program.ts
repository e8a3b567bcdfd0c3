import type { TokenScope } from "@quorate/protocol/api-token";
import type { OperatorDecision } from "@quorate/protocol/operator-view";
import { type Command, Option } from "commander";
import { type Done, wholeNumber, withConnection } from "./command-options.ts";
import type { CommandContext } from "./context.ts";

const scopes: readonly TokenScope[] = ["submit", "read", "webhooks"];

/** Commands of whoever runs a network. */
export function addNetworkCommands(program: Command, context: CommandContext, done: Done): void {
  const network = program.command("network").description("run a network");
  addPolicyCommands(network.command("policy"), context, done);
  addAdmissionCommands(network.command("operators").description("admit operators, and revoke them"), context, done);
  addTokenCommands(network.command("tokens").description("give projects tokens, and revoke them"), context, done);
}

function addAdmissionCommands(operators: Command, context: CommandContext, done: Done): void {
  const decide = async (operator: string, decision: OperatorDecision, options: object) =>
    done(await (await import("./commands/network-operators.ts")).runOperatorsDecide(operator, decision, { options, context }));
  withConnection(operators.command("list", { isDefault: true }))
    .description("those that wait to be admitted, and all others")
    .action(async (options) => done(await (await import("./commands/network-operators.ts")).runOperatorsList(options, context)));
  withConnection(operators.command("approve"))
    .description("admit an operator: its enrolment is countersigned and logged")
    .argument("<operator>", "its id, or the beginning of it")
    .action((operator, options) => decide(operator, { decision: "approve" }, options));
  withConnection(operators.command("refuse"))
    .description("do not admit an operator")
    .argument("<operator>", "its id, or the beginning of it")
    .requiredOption("--reason <text>", "for the operator to read")
    .action((operator, options) => decide(operator, { decision: "refuse", reason: options.reason }, options));
  withConnection(operators.command("revoke"))
    .description("end an operator's voice: logged, and its workers' credentials end at once")
    .argument("<operator>", "its id, or the beginning of it")
    .requiredOption("--reason <text>", "for everyone to read")
    .action((operator, options) => decide(operator, { decision: "revoke", reason: options.reason }, options));
}

function addPolicyCommands(policy: Command, context: CommandContext, done: Done): void {
  policy.description("the rules that the network draws committees and reaches verdicts by");
  withConnection(policy.command("show", { isDefault: true }))
    .description("the policy in force, and the versions before it")
    .action(async (options) => done(await (await import("./commands/network-policy.ts")).runPolicyShow(options, context)));
  withConnection(policy.command("publish"))
    .description("log the next version of the policy: rounds that are drawn from then on are under it")
    .argument("<file>", "the rules, JSON as `quorate network policy show --json` prints them")
    .option("--key <file>", "the network's private key; default: that of the network in the data directory")
    .addHelpText("after", policyExamples)
    .action(async (file, options) => done(await (await import("./commands/network-policy.ts")).runPolicyPublish(file, options, context)));
}

const policyExamples = `
Example:
  quorate network policy show --json | jq .inForce.policy > policy.json
  quorate network policy publish policy.json --key /etc/quorate/network.pem`;

function addTokenCommands(tokens: Command, context: CommandContext, done: Done): void {
  withConnection(tokens.command("list", { isDefault: true }))
    .description("all tokens: whose they are and what they open, never their secrets")
    .action(async (options) => done(await (await import("./commands/network-tokens.ts")).runTokensList(options, context)));
  withConnection(tokens.command("create"))
    .description("a new token of a project: prints its secret, this once")
    .argument("<project>", "lower-case letters, digits and .+-; a project is there as soon as it has a token")
    .addOption(new Option("--scope <scope...>", "what it opens").choices(scopes).makeOptionMandatory())
    .option("--days <count>", "it ends after so many days; default: when it is revoked", wholeNumber(1, 36_500))
    .addHelpText("after", "\nExample:\n  quorate network tokens create debian-qa --scope submit read > token")
    .action(async (project, options) =>
      done(await (await import("./commands/network-tokens.ts")).runTokensCreate(project, options, context)),
    );
  withConnection(tokens.command("revoke"))
    .description("end a token at once; what was submitted with it stays")
    .argument("<id>", "as `quorate network tokens list` shows it")
    .action(async (id, options) => done(await (await import("./commands/network-tokens.ts")).runTokensRevoke(id, options, context)));
}
