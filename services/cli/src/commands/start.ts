import { createApi } from "@quorate/client/api";
import { isSettled } from "@quorate/client/submission-events";
import type { SubmissionView } from "@quorate/protocol/submission";
import { exitCodes, type ExitCode } from "../command-error.ts";
import type { CommandContext } from "../context.ts";
import { demonstrationReport, type DemonstrationReport } from "../demonstration-report.ts";
import { saveEvidence } from "../demonstration-evidence.ts";
import { hostSuite } from "../host-suite.ts";
import { formatDuration } from "../progress/duration.ts";
import { followToVerdict } from "../progress/follow.ts";
import { quoteArgument } from "../quote-argument.ts";
import type { Network } from "../up/network.ts";
import { stopRequested } from "../up/stop-request.ts";
import { isReproduced, verdictLines } from "../verdict-lines.ts";
import { parseSubmission } from "./submit.ts";
import { bringUp, type UpOptions } from "./up.ts";

export type StartOptions = UpOptions & {
  once?: boolean | undefined;
  suite?: string | undefined;
  package?: string | undefined;
  version?: string | undefined;
  arch?: string | undefined;
};

const demonstrationPackage = "mailgraph";

/** `quorate start`, which `npm start` runs: a network on this host, and one rebuild of a real package by all of its operators. */
export async function runStart(options: StartOptions, context: CommandContext): Promise<ExitCode> {
  const { terminal, signal } = context;
  const startedAt = performance.now();
  const suite = options.suite ?? (await hostSuite());
  const request = parseSubmission(suite.includes("/") ? suite : `debian/${suite}`, options.package ?? demonstrationPackage, options);
  terminal.say(
    "Quorate: a demonstration. All operators run on this host, so their agreement shows how it works, not that they are independent.",
  );
  await using network = await bringUp(options, context);
  const networkSeconds = (performance.now() - startedAt) / 1000;
  terminal.say(`network up in ${formatDuration(networkSeconds)}: ${network.operators.length} operators, ${network.siteUrl}`);

  const api = createApi(network);
  terminal.say(
    `submitting ${request.distribution}/${request.suite} ${request.source}: its source and published binaries are looked up in the signed archive indices`,
  );
  const submittedAt = performance.now();
  const submission = await untilDone(network, api.submit(request, { signal }), context);
  const resolveSeconds = (performance.now() - submittedAt) / 1000;
  if (isSettled(submission)) terminal.say("this was rebuilt before: what follows is the verdict of then, and how long it took then");
  const settled = await untilDone(network, followToVerdict({ api, submission, terminal, signal }), context);
  const evidence = await saveEvidence({ api, layout: network.layout, submission: settled, signal });
  const { logSize } = await api.stats({ signal });
  const report = demonstrationReport({
    submission: settled,
    network,
    logSize,
    evidence,
    seconds: { network: networkSeconds, resolve: resolveSeconds },
  });
  if (options.json) terminal.printJson(report);
  else sayVerdict(settled, report, context);
  if (!options.once) {
    terminal.say("the network stays up; Ctrl-C stops it");
    await stopRequested(signal, network, terminal);
  }
  return isReproduced(settled) ? exitCodes.ok : exitCodes.notReproduced;
}

/** A wait that Ctrl-C ends, with a second Ctrl-C that ends everything at once. */
async function untilDone<T>(network: Network, work: Promise<T>, { signal, terminal }: CommandContext): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (signal.aborted) await stopRequested(signal, network, terminal);
    throw error;
  }
}

function sayVerdict(submission: SubmissionView, report: DemonstrationReport, { terminal }: CommandContext): void {
  const { proofPath, policyPath, debPath, phases, logIndex, logSize, pageUrl, dataDirectory } = report;
  terminal.print("");
  for (const line of verdictLines(submission)) terminal.print(line);
  terminal.print("");
  terminal.print(
    `from submission to verdict ${formatDuration(phases.total)}, of which the slowest build ${formatDuration(phases.slowestBuild)}`,
  );
  terminal.print(`log entry   ${logIndex ?? "none"} of ${logSize}`);
  if (proofPath !== undefined) terminal.print(`proof       ${proofPath}`);
  if (proofPath !== undefined && debPath !== undefined) {
    terminal.print(
      `verify it   bin/quorate verify ${[debPath, "--proof", proofPath, "--policy", policyPath].map(quoteArgument).join(" ")}`,
    );
  }
  terminal.print(`replay it   bin/quorate replay --data ${quoteArgument(dataDirectory)}`);
  terminal.print(`look at it  ${pageUrl}`);
}
