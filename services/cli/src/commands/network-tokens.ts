import { projectSchema, tokenIdSchema, type TokenScope, type TokenView } from "@quorate/protocol/api-token";
import { connectAsAdmin } from "../admin-connection.ts";
import { CommandError, exitCodes, type ExitCode } from "../command-error.ts";
import type { ConnectionOptions } from "../connection.ts";
import type { CommandContext } from "../context.ts";

export type NetworkTokensOptions = ConnectionOptions & { json?: boolean | undefined };

const doing = "giving tokens to projects";

/** `quorate network tokens list`: those that are valid first. */
export async function runTokensList(options: NetworkTokensOptions, context: CommandContext): Promise<ExitCode> {
  const { terminal, signal } = context;
  const all = await (await connectAsAdmin(doing, options, context)).tokens({ signal });
  const tokens = [...all.filter((token) => !token.revokedAt), ...all.filter((token) => token.revokedAt)];
  if (options.json) terminal.printJson({ tokens });
  else for (const token of tokens) terminal.print(tokenLine(token));
  return exitCodes.ok;
}

/** `quorate network tokens create PROJECT --scope SCOPE…`: standard output has the secret, and nothing else. */
export async function runTokensCreate(
  project: string,
  options: NetworkTokensOptions & { scope: TokenScope[]; days?: number | undefined },
  context: CommandContext,
): Promise<ExitCode> {
  const { terminal, signal } = context;
  const parsed = projectSchema.safeParse(project);
  if (!parsed.success) {
    throw new CommandError(`creating a token of project ${JSON.stringify(project)}: its name ${parsed.error.issues[0]?.message}`);
  }
  const expiresAt = options.days === undefined ? undefined : new Date(Date.now() + options.days * 86_400_000).toISOString();
  const api = await connectAsAdmin(doing, options, context);
  const token = await api.createToken({ project: parsed.data, scopes: options.scope, expiresAt }, { signal });
  if (options.json) terminal.printJson(token);
  else {
    terminal.say(tokenLine(token));
    terminal.say("its secret, which is shown this once; the project sets QUORATE_TOKEN to it:");
    terminal.print(token.secret);
  }
  return exitCodes.ok;
}

/** `quorate network tokens revoke ID` */
export async function runTokensRevoke(id: string, options: NetworkTokensOptions, context: CommandContext): Promise<ExitCode> {
  const { terminal, signal } = context;
  if (!tokenIdSchema.safeParse(id).success) {
    throw new CommandError(`revoking token ${JSON.stringify(id)}: this is no token's id; \`quorate network tokens list\` shows them`);
  }
  const token = await (await connectAsAdmin(doing, options, context)).revokeToken(id, { signal });
  if (options.json) terminal.printJson(token);
  else terminal.print(tokenLine(token));
  return exitCodes.ok;
}

function tokenLine({ id, project, scopes, createdAt, expiresAt, revokedAt }: TokenView): string {
  const ends = revokedAt === undefined ? expiresAt && `ends ${expiresAt}` : `revoked ${revokedAt}`;
  return [id, project, scopes.join(" "), `made ${createdAt}`, ends].filter((part) => part !== undefined).join("  ");
}
