import type { Command } from "commander";
import { type Done, wholeNumber, withConnection } from "./command-options.ts";
import type { CommandContext } from "./context.ts";

/** Commands of a project that is told of verdicts. */
export function addWebhookCommands(program: Command, context: CommandContext, done: Done): void {
  const webhook = program.command("webhook").description("be told of verdicts on what your project has submitted");
  const id = ["<id>", "as `quorate webhook list` shows it"] as const;
  withConnection(webhook.command("list", { isDefault: true }))
    .description("your project's webhooks")
    .action(async (options) => done(await (await import("./commands/webhook.ts")).runWebhookList(options, context)));
  withConnection(webhook.command("create"))
    .description("a new webhook: prints the secret that its messages are signed with, this once")
    .argument("<url>", "an https URL that everybody can reach")
    .addHelpText("after", "\nExample:\n  quorate webhook create https://qa.example/hooks/quorate > secret")
    .action(async (url, options) => done(await (await import("./commands/webhook.ts")).runWebhookCreate(url, options, context)));
  withConnection(webhook.command("remove"))
    .description("remove a webhook, with its messages")
    .argument(...id)
    .action(async (which, options) => done(await (await import("./commands/webhook.ts")).runWebhookRemove(which, options, context)));
  withConnection(webhook.command("ping"))
    .description("send a message that says nothing, to try a webhook out")
    .argument(...id)
    .action(async (which, options) => done(await (await import("./commands/webhook.ts")).runWebhookPing(which, options, context)));
  withConnection(webhook.command("messages"))
    .description("what was sent to a webhook in the last 30 days, with every attempt")
    .argument(...id)
    .option("--limit <count>", "so many of the newest", wholeNumber(1, 200), 20)
    .action(async (which, options) => done(await (await import("./commands/webhook.ts")).runWebhookMessages(which, options, context)));
}
