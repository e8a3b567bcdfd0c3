import { escapePath } from "@quorate/attestation/path-text";
import { diffTraces, groupDifference } from "@quorate/attestation/trace-difference";
import { type Api, createApi } from "@quorate/client/api";
import { defaultRules } from "@quorate/protocol/policy";
import { agreementOf } from "@quorate/verdict/trace-agreement";
import { CommandError, errorLine, exitCodes, type ExitCode } from "../command-error.ts";
import { findConnection } from "../connection.ts";
import type { CommandContext } from "../context.ts";
import type { LogReadOptions } from "../log-for-reader.ts";
import { createLiveRegion } from "../progress/live-region.ts";
import { createTraceLoader, type ResultTrace } from "../result-trace.ts";
import { type TraceComparison, type TraceRule, traceDiffLines } from "../trace-diff-lines.ts";
import { unlessMissing } from "../unless-missing.ts";

/** `quorate trace diff RESULT RESULT`: the exit code is that of diff(1), so whatever cannot be compared gives 2. */
export async function runTraceDiff(
  [first, second]: readonly [string, string],
  options: LogReadOptions,
  context: CommandContext,
): Promise<ExitCode> {
  try {
    const comparison = await compare([first, second], options, context);
    if (options.json) context.terminal.printJson(jsonOf(comparison));
    else for (const line of traceDiffLines(comparison)) context.terminal.print(line);
    return comparison.same ? exitCodes.ok : exitCodes.failed;
  } catch (cause) {
    throw new CommandError(`comparing build traces: ${errorLine(cause)}`, { exitCode: exitCodes.refuted, cause });
  }
}

async function compare(
  [nameOfFirst, nameOfSecond]: readonly [string, string],
  options: LogReadOptions,
  context: CommandContext,
): Promise<TraceComparison> {
  const connection = await findConnection(options, context.env);
  const api = connection && createApi(connection);
  const load = createTraceLoader(options, api, context);
  const first = await showing(context, `reading the build trace of ${nameOfFirst}`, () => load(nameOfFirst));
  const second = await showing(context, `reading the build trace of ${nameOfSecond}`, () => load(nameOfSecond));
  const difference = diffTraces(first.files, second.files);
  const [common, equal] = [difference.equal.length + difference.different.length, difference.equal.length];
  const rule = await ruleFor([first, second], api, context);
  return {
    first,
    second,
    operatorNames: await operatorNamesOf(api, context),
    difference,
    groups: groupDifference(difference),
    same: common === equal && difference.onlyInFirst.length + difference.onlyInSecond.length === 0,
    rule,
    agreement: agreementOf({ common, equal }, rule),
  };
}

async function showing<Value>({ terminal }: CommandContext, line: string, work: () => Promise<Value>): Promise<Value> {
  if (!terminal.live) return work();
  using region = createLiveRegion(terminal);
  region.show([line]);
  return work();
}

/** The rule of the policy that the results' round is under; without a round that of the newest policy, and without a network the default. */
async function ruleFor(traces: readonly ResultTrace[], api: Api | undefined, { signal }: CommandContext): Promise<TraceRule> {
  if (api === undefined) return defaultRules.trace;
  const round = traces.find(({ result }) => result !== undefined)?.result?.round;
  const view = round && (await unlessMissing(api.round(round, { signal })));
  const policies = await api.policies({ signal });
  const version = policies.find(({ digest }) => digest === view?.policy) ?? policies[0];
  return version === undefined ? defaultRules.trace : { ...version.policy.trace, policy: version.digest };
}

async function operatorNamesOf(api: Api | undefined, { signal }: CommandContext): Promise<ReadonlyMap<string, string>> {
  const operators = (await api?.operators({ signal })) ?? [];
  return new Map(operators.map(({ operator, name }) => [operator, name]));
}

function jsonOf({ first, second, difference, groups, same, rule, agreement }: TraceComparison): object {
  const { equal, different, onlyInFirst, onlyInSecond } = difference;
  const { policy, sharePercent, minimumFiles } = rule;
  const named = ({ name, index, result, files }: ResultTrace) => ({
    name,
    index,
    operator: result?.operator,
    round: result?.round,
    target: result?.target,
    files: files.length,
  });
  const escaped = <File extends { path: string }>(files: readonly File[]) =>
    files.map((file) => ({ ...file, path: escapePath(file.path) }));
  return {
    same,
    agreement,
    rule: { policy, sharePercent, minimumFiles },
    first: named(first),
    second: named(second),
    equal: equal.length,
    different: escaped(different),
    onlyInFirst: escaped(onlyInFirst),
    onlyInSecond: escaped(onlyInSecond),
    groups: groups.map((group) => ({ ...group, files: escapePath(group.files) })),
  };
}
