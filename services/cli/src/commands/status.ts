import type { Api } from "@quorate/client/api";
import { parseSha256 } from "@quorate/protocol/digest";
import { type OperatorId, operatorIdSchema } from "@quorate/protocol/operator";
import type { RoundView } from "@quorate/protocol/submission";
import { CommandError, exitCodes, type ExitCode } from "../command-error.ts";
import { connect, type ConnectionOptions } from "../connection.ts";
import type { CommandContext } from "../context.ts";
import { roundName, submissionLines } from "../progress/submission-lines.ts";
import { unlessMissing } from "../unless-missing.ts";
import { roundVerdictLines } from "../verdict-lines.ts";

export type StatusOptions = ConnectionOptions & { json?: boolean | undefined };

/** `quorate status [SUBMISSION|ROUND|OPERATOR]` */
export async function runStatus(id: string | undefined, options: StatusOptions, context: CommandContext): Promise<ExitCode> {
  const api = await connect(options, context.env);
  if (id === undefined) await showNetwork(api, options, context);
  else if (operatorIdSchema.safeParse(id).success) await showOperator(api, operatorIdSchema.parse(id), { options, context });
  else await showRounds(api, id, { options, context });
  return exitCodes.ok;
}

async function showNetwork(api: Api, { json }: StatusOptions, { terminal, signal }: CommandContext): Promise<void> {
  const [network, stats, rounds] = await Promise.all([
    api.network({ signal }),
    api.stats({ signal }),
    api.rounds({ limit: 10 }, { signal }),
  ]);
  if (json) return terminal.printJson({ url: api.url, network, stats, rounds });
  const { threshold, committeeSize } = network.policy;
  terminal.print(`network    ${api.url}, log ${network.logUrl} with ${stats.logSize} entries`);
  terminal.print(`policy     ${threshold} of ${committeeSize} operators must agree`);
  terminal.print(`operators  ${network.operators.length === 0 ? "none enrolled yet" : ""}`.trimEnd());
  for (const { name, operator } of network.operators) terminal.print(`  ${name}, ${operator}`);
  terminal.print(`rounds     ${counts(stats.rounds) || "none yet"}`);
  terminal.print(`verdicts   ${counts(stats.verdicts) || "none yet"}`);
  for (const round of rounds) terminal.print(`  ${roundName(round)}: ${round.verdict?.outcome ?? round.state}, round ${round.round}`);
}

async function showOperator(
  api: Api,
  id: OperatorId,
  { options, context }: { options: StatusOptions; context: CommandContext },
): Promise<void> {
  const { terminal, signal } = context;
  const operator = await unlessMissing(api.operator(id, { signal }));
  if (!operator) throw new CommandError(`reading the status of ${id}: ${api.url} knows no such operator; \`quorate status\` lists them`);
  const record = await api.operatorRecord(id, { signal });
  if (options.json) return terminal.printJson({ ...operator, record });
  const { name, groups, architectures, enrolledIndex, revokedIndex } = operator;
  const groupText = Object.entries(groups).map(([kind, value]) => `${kind} ${value}`);
  const revoked = revokedIndex === undefined ? "" : `, revoked by entry ${revokedIndex}`;
  terminal.print(`operator   ${name}, enrolled by log entry ${enrolledIndex}${revoked}`);
  terminal.print(`groups     ${groupText.join(", ") || "none stated"}`);
  terminal.print(`builds     ${architectures.join(", ")}`);
  terminal.print(`results    ${record.counted} counted, of which ${record.dissenting} dissent; ${record.notCounted} not counted`);
  terminal.print(`missing    ${record.unrevealed} commitments without a result; ${record.declined} jobs declined`);
  for (const { round, kind } of record.exceptions) terminal.print(`  ${kind} in round ${round}`);
}

async function showRounds(
  api: Api,
  text: string,
  { options, context }: { options: StatusOptions; context: CommandContext },
): Promise<void> {
  const { terminal, signal } = context;
  if (!/^[0-9a-f]{64}$/.test(text))
    throw new CommandError(
      `reading the status of ${JSON.stringify(text)}: a submission's or round's id has 64 hexadecimal digits, an operator's 32`,
    );
  const id = parseSha256(text);
  const found = (await unlessMissing(api.submission(id, { signal }))) ?? (await unlessMissing(api.round(id, { signal })));
  if (!found)
    throw new CommandError(
      `reading the status of ${id}: ${api.url} knows no such submission or round; \`quorate status\` lists the newest`,
    );
  if (options.json) return terminal.printJson(found);
  const rounds: RoundView[] = "rounds" in found ? found.rounds : [found];
  for (const round of rounds) {
    const lines = round.verdict ? roundVerdictLines(round) : submissionLines({ rounds: [round] }, new Date());
    for (const line of lines) terminal.print(line);
  }
}

function counts(numbers: Partial<Record<string, number>>): string {
  return Object.entries(numbers)
    .filter(([, count]) => count !== undefined && count > 0)
    .map(([name, count]) => `${count} ${name}`)
    .join(", ");
}
