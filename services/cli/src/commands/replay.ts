import { createLogReader } from "@quorate/client/log-reader";
import { nodeHasher } from "@quorate/signing/node-hasher";
import { VerificationError } from "@quorate/tlog/verification-error";
import { ReplayError } from "@quorate/verdict/replay-error";
import { blobLoaderOf } from "../blob-loader.ts";
import { CommandError, errorLine, exitCodes, type ExitCode } from "../command-error.ts";
import { type ConnectionOptions, findConnection } from "../connection.ts";
import type { CommandContext } from "../context.ts";
import { locateLog } from "../log-location.ts";
import { loadPolicyRules } from "../policy-rules.ts";
import { loadReaderVerifier } from "../reader-verifier.ts";
import { loadTrustPolicy } from "../reader-policy.ts";
import { type ReplayReport, replayLog } from "../replay/replay-log.ts";

export type ReplayOptions = ConnectionOptions & {
  log?: string | undefined;
  policy?: string | undefined;
  state?: string | undefined;
  rules?: string | undefined;
  trustedRoot?: string | undefined;
  json?: boolean | undefined;
};

const unrevealedShown = 20;
const othersShown = 20;

/** `quorate replay`: reads the whole log and recomputes every verdict in it; with `--state` what is new since the last time. */
export async function runReplay(options: ReplayOptions, context: CommandContext): Promise<ExitCode> {
  const { terminal, env, signal } = context;
  const policy = await loadTrustPolicy(options, context);
  const api = await findConnection(options, env);
  const url = await locateLog(options, policy.witnessPolicy.logs[0]?.url, context);
  const reader = createLogReader({ url, hasher: nodeHasher });
  try {
    const loadBlob = blobLoaderOf(options, api?.url, context);
    if (options.rules !== undefined && options.state !== undefined)
      throw new CommandError("replaying: a state holds the network's verdicts alone; give --rules or --state, not both");
    const ownRules = options.rules === undefined ? undefined : await loadPolicyRules(options.rules);
    const verify = await loadReaderVerifier(options);
    const report = await replayLog({ reader, policy, loadBlob, ownRules, verify, statePath: options.state, context });
    if (options.json) terminal.printJson({ consistent: true, ...report });
    else printReport(url, report, context);
    return exitCodes.ok;
  } catch (error) {
    if (signal.aborted && options.state !== undefined)
      terminal.say(`what was replayed is kept in ${options.state}: the same command goes on from there`);
    if (signal.aborted || !(error instanceof ReplayError || error instanceof VerificationError)) throw error;
    if (!options.json)
      throw new CommandError(`the log at ${url} is NOT consistent: ${errorLine(error)}`, { exitCode: exitCodes.refuted, cause: error });
    const where = error instanceof ReplayError ? { index: error.index, rule: error.rule } : {};
    terminal.printJson({ consistent: false, ...where, reason: errorLine(error) });
    return exitCodes.refuted;
  }
}

function printReport(url: string, { entries, from, verdicts, witnesses }: ReplayReport, { terminal }: CommandContext): void {
  const since = from > 0 ? ` (the first ${from} were replayed before)` : "";
  terminal.print(`replayed ${entries} entries of ${url}${since}: every one is in its place and signed by whom it must be`);
  terminal.print(`recomputed ${verdicts.length} verdicts: every one is what its evidence gives`);
  for (const [outcome, of] of Map.groupBy(verdicts, (verdict) => verdict.outcome)) terminal.print(`  ${of.length} ${outcome}`);
  const others = verdicts.filter(({ outcome, ownOutcome }) => ownOutcome !== undefined && ownOutcome !== outcome);
  for (const { index, outcome, ownOutcome } of others.slice(0, othersShown)) {
    terminal.print(`  by your own rules the verdict at ${index} is ${ownOutcome}, not ${outcome}`);
  }
  if (others.length > othersShown) terminal.print(`  and ${others.length - othersShown} more; --json lists all`);
  const withUnrevealed = verdicts.filter(({ unrevealed }) => unrevealed.length > 0);
  for (const { index, unrevealed } of withUnrevealed.slice(0, unrevealedShown)) {
    terminal.print(`  before the verdict at ${index}, ${unrevealed.join(", ")} committed to a result that is not in the log`);
  }
  const more = withUnrevealed.length - unrevealedShown;
  if (more > 0) terminal.print(`  and before ${more} more; --json lists all`);
  terminal.print(`checkpoint cosigned by ${witnesses.join(", ")}`);
}
