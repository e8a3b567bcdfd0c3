import type { TraceFile } from "@quorate/attestation/build-trace";
import type { Sha256 } from "@quorate/protocol/digest";
import type { Policy } from "@quorate/protocol/policy";
import type { Verdict } from "@quorate/protocol/verdict";
import type { Hasher } from "@quorate/tlog/merkle";
import { evaluate } from "./evaluate.ts";
import { type LoggedResult, readTrace, traceDigestOf } from "./evidence.ts";
import { ReplayError } from "./replay-error.ts";
import { type ReplayState, type ReplayedRound, demand, known } from "./replay-state.ts";
import { differenceOf } from "./verdict-difference.ts";

/** A blob by its digest; `undefined` when it cannot be had. */
export type LoadBlob = (sha256: Sha256) => Promise<Uint8Array | undefined>;

type Tools = { readonly loadBlob: LoadBlob; readonly hasher: Hasher };

/** Recomputes a verdict from the entries before it, and takes it into the state. @throws ReplayError */
export async function replayVerdict(
  state: ReplayState,
  { index, verdict }: { index: number; verdict: Verdict },
  tools: Tools,
): Promise<void> {
  const replayed = known(state.rounds.get(verdict.round), {
    index,
    rule: "round",
    reason: `the verdict is of round ${verdict.round}, which was not logged before it`,
  });
  const { round } = replayed;
  demand(verdict.target === round.target, {
    index,
    rule: "target",
    reason: `the verdict is about target ${verdict.target}, and its round is not`,
  });
  demand(verdict.policy === round.policy, {
    index,
    rule: "policy",
    reason: `the verdict is under policy ${verdict.policy}, and its round is not`,
  });
  checkSuperseded(state, index, verdict);
  const decided = await evaluateRound(state, { index, verdict, replayed }, tools);
  const difference = differenceOf(verdict, decided);
  if (difference !== undefined)
    throw new ReplayError({ index, rule: "verdict", reason: `the verdict is not what its evidence gives: ${difference}` });
  replayed.verdictIndex = index;
  state.verdicts.push({ index, verdict });
}

async function evaluateRound(
  state: ReplayState,
  { index, verdict, replayed }: { index: number; verdict: Verdict; replayed: ReplayedRound },
  tools: Tools,
) {
  const { round } = replayed;
  const policy = known(state.policies.get(round.policy), { index, rule: "policy", reason: "the round's policy was not logged" });
  const { target } = known(state.targets.get(round.target), { index, rule: "target", reason: "the round's target was not logged" });
  const results = await Promise.all(replayed.results.map((logged) => withTrace(logged, { index, policy, ...tools })));
  const { commitments } = replayed;
  const evidence = {
    target,
    targetDigest: round.target,
    round,
    roundId: verdict.round,
    commitments,
    results,
    enrolled: state.enrolled,
    closed: true,
  };
  const decision = evaluate(evidence, policy);
  if (decision.kind === "undecided") throw new Error("a closed round is always decided");
  return decision;
}

/** A verdict may name the target's newest verdict before it, which it replaces; no other. */
function checkSuperseded(state: ReplayState, index: number, { supersedes, target }: Verdict): void {
  if (supersedes === undefined) return;
  const newest = state.verdicts.findLast(({ verdict }) => verdict.target === target)?.index;
  const reason = `it supersedes entry ${supersedes}, and the newest verdict on its target is ${newest === undefined ? "none" : `entry ${newest}`}`;
  demand(supersedes === newest, { index, rule: "verdict", reason });
}

/** Whether a result's trace takes part in the evaluation. */
export function needsTrace({ result }: LoggedResult, policy: Policy): boolean {
  return result.outcome === "built" && policy.threshold > 1 && result.trace.files >= policy.trace.minimumFiles;
}

async function withTrace(logged: LoggedResult, tools: Tools & { index: number; policy: Policy }): Promise<LoggedResult> {
  const trace = await loadTrace(logged, tools);
  return trace === undefined ? logged : { ...logged, trace };
}

async function loadTrace(
  logged: LoggedResult,
  { index, policy, loadBlob, hasher }: Tools & { index: number; policy: Policy },
): Promise<TraceFile[] | undefined> {
  const digest = traceDigestOf(logged.result);
  if (digest === undefined || logged.result.outcome === "failed" || !needsTrace(logged, policy)) return undefined;
  const what = `build trace ${digest} of operator ${logged.result.operator} (entry ${logged.index})`;
  const bytes = known(await loadBlob(digest), {
    index,
    rule: "trace",
    reason: `the verdict cannot be recomputed: ${what} is not to be had`,
  });
  try {
    return readTrace(logged.result, bytes, hasher);
  } catch (cause) {
    throw new ReplayError({ index, rule: "trace", reason: `the verdict cannot be recomputed: ${what} has other bytes`, cause });
  }
}
