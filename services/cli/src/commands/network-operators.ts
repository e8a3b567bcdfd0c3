import type { Api } from "@quorate/client/api";
import { type OperatorId, operatorIdSchema } from "@quorate/protocol/operator";
import type { OperatorDecision, OperatorView } from "@quorate/protocol/operator-view";
import { connectAsAdmin } from "../admin-connection.ts";
import { CommandError, exitCodes, type ExitCode } from "../command-error.ts";
import type { ConnectionOptions } from "../connection.ts";
import type { CommandContext } from "../context.ts";
import { connectionLines } from "../operator/connection-lines.ts";

export type NetworkOperatorsOptions = ConnectionOptions & { json?: boolean | undefined };

/** `quorate network operators list`: those that wait first. */
export async function runOperatorsList(options: NetworkOperatorsOptions, context: CommandContext): Promise<ExitCode> {
  const { terminal, signal } = context;
  const api = await connectAsAdmin("deciding on operators", options, context);
  const operators = [...(await api.undecidedOperators({ signal })), ...(await api.operators({ signal }))];
  if (options.json) terminal.printJson({ operators });
  else for (const operator of operators) terminal.print(operatorLine(operator));
  return exitCodes.ok;
}

/** `quorate network operators approve|refuse|revoke OPERATOR` */
export async function runOperatorsDecide(
  operator: string,
  decision: OperatorDecision,
  { options, context }: { options: NetworkOperatorsOptions; context: CommandContext },
): Promise<ExitCode> {
  const { terminal, signal } = context;
  const api = await connectAsAdmin("deciding on operators", options, context);
  const view = await api.decide(await findOperator(api, operator, signal), decision, { signal });
  if (options.json) terminal.printJson(view);
  else for (const line of [operatorLine(view), ...connectionLines(view.connectionsEnd)]) terminal.print(line);
  return exitCodes.ok;
}

/** By its id, or the beginning of it. */
async function findOperator(api: Api, text: string, signal: AbortSignal): Promise<OperatorId> {
  const whole = operatorIdSchema.safeParse(text);
  if (whole.success) return whole.data;
  const known = [...(await api.undecidedOperators({ signal })), ...(await api.operators({ signal }))].map(({ operator }) => operator);
  const [first, second] = known.filter((operator) => text.length >= 4 && operator.startsWith(text));
  if (first !== undefined && second === undefined) return first;
  throw new CommandError(
    `deciding on operator ${text}: ${first === undefined ? "there is no such operator" : "several begin so"}; \`quorate network operators list\` shows them`,
  );
}

function operatorLine({ operator, state, name, groups, architectures, reason }: OperatorView): string {
  const belongs = Object.entries(groups).map(([kind, value]) => `${kind} ${value}`);
  return [
    `${operator}  ${state.padEnd(8)}  ${name}`,
    [...belongs, architectures.join(" "), reason].filter((part) => part !== undefined).join(", "),
  ].join("  ");
}
