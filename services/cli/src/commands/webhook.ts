import { createWebhookApi, type WebhookApi } from "@quorate/client/webhook-api";
import { type DeliveryView, webhookIdSchema, webhookRequestSchema, type WebhookView } from "@quorate/protocol/webhook";
import { CommandError, exitCodes, type ExitCode } from "../command-error.ts";
import { type ConnectionOptions, requireConnectionWithToken } from "../connection.ts";
import type { CommandContext } from "../context.ts";
import { escapeForLine } from "../escape-for-line.ts";

export type WebhookOptions = ConnectionOptions & { json?: boolean | undefined };

/** `quorate webhook list` */
export async function runWebhookList(options: WebhookOptions, context: CommandContext): Promise<ExitCode> {
  const webhooks = await (await open(options, context)).list(context);
  if (options.json) context.terminal.printJson({ webhooks });
  else for (const webhook of webhooks) context.terminal.print(webhookLine(webhook));
  return exitCodes.ok;
}

/** `quorate webhook create URL`: standard output has the secret, and nothing else. */
export async function runWebhookCreate(url: string, options: WebhookOptions, context: CommandContext): Promise<ExitCode> {
  const { terminal } = context;
  const parsed = webhookRequestSchema.safeParse({ url });
  if (!parsed.success) throw new CommandError(`creating a webhook to ${JSON.stringify(url)}: it ${parsed.error.issues[0]?.message}`);
  const webhook = await (await open(options, context)).create(url, context);
  if (options.json) terminal.printJson(webhook);
  else {
    terminal.say(webhookLine(webhook));
    terminal.say("its secret, which is shown this once; messages are signed with it as Standard Webhooks says:");
    terminal.print(webhook.secret);
  }
  return exitCodes.ok;
}

/** `quorate webhook remove ID` */
export async function runWebhookRemove(id: string, options: WebhookOptions, context: CommandContext): Promise<ExitCode> {
  const webhook = await (await open(options, context)).remove(requireId(id), context);
  if (options.json) context.terminal.printJson(webhook);
  else context.terminal.print(`removed ${webhookLine(webhook)}`);
  return exitCodes.ok;
}

/** `quorate webhook ping ID` */
export async function runWebhookPing(id: string, options: WebhookOptions, context: CommandContext): Promise<ExitCode> {
  const delivery = await (await open(options, context)).ping(requireId(id), context);
  if (options.json) context.terminal.printJson(delivery);
  else context.terminal.print(`${delivery.id} is sent; \`quorate webhook messages ${id}\` shows what came of it`);
  return exitCodes.ok;
}

/** `quorate webhook messages ID`: the newest first, each with all attempts at it. */
export async function runWebhookMessages(
  id: string,
  options: WebhookOptions & { limit: number },
  context: CommandContext,
): Promise<ExitCode> {
  const { deliveries } = await (await open(options, context)).deliveries(requireId(id), { limit: options.limit }, context);
  if (options.json) context.terminal.printJson({ deliveries });
  else for (const line of deliveries.flatMap(deliveryLines)) context.terminal.print(line);
  return exitCodes.ok;
}

async function open(options: WebhookOptions, { env }: CommandContext): Promise<WebhookApi> {
  return createWebhookApi(await requireConnectionWithToken("reaching a project's webhooks", options, env));
}

function requireId(id: string): string {
  if (webhookIdSchema.safeParse(id).success) return id;
  throw new CommandError(`finding webhook ${JSON.stringify(id)}: this is no webhook's id; \`quorate webhook list\` shows them`);
}

function webhookLine({ id, url, createdAt, endedAt }: WebhookView): string {
  return `${id}  ${escapeForLine(url)}  made ${createdAt}${endedAt === undefined ? "" : `  ended ${endedAt}: it answered 410 Gone`}`;
}

function deliveryLines({ id, message, state, attempts, nextAttemptAt }: DeliveryView): string[] {
  const what =
    message.type === "ping"
      ? "ping"
      : `${message.data.source} ${message.data.version} (${message.data.architecture}): ${message.data.outcome}`;
  return [
    `${message.timestamp}  ${id}  ${what}  ${state}${nextAttemptAt === undefined ? "" : `, next attempt ${nextAttemptAt}`}`,
    ...attempts.map(
      ({ at, milliseconds, status, error }) => `  ${at}  ${escapeForLine(error ?? `answered ${status}`)} after ${milliseconds} ms`,
    ),
  ];
}
