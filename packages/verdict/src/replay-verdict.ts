import type { Sha256 } from "@quorate/protocol/digest";
import type { Policy, PolicyRules } from "@quorate/protocol/policy";
import type { Verdict, VerdictOutcome } from "@quorate/protocol/verdict";
import type { Hasher } from "@quorate/tlog/merkle";
import { type Decided, evaluate } from "./evaluate.ts";
import { type Evidence, type LoggedResult, type ReadTrace, readTraceText, traceDigestOf, traceOf } from "./evidence.ts";
import { ReplayError } from "./replay-error.ts";
import { type OpenRound, type ReplayState, type SettledRound, demand, known } from "./replay-state.ts";
import { differenceOf } from "./verdict-difference.ts";

/** A blob by its digest; `undefined` when it cannot be had. */
export type LoadBlob = (sha256: Sha256) => Promise<Uint8Array | undefined>;

type Tools = {
  readonly loadBlob: LoadBlob;
  readonly hasher: Hasher;
  /** A reader's own, to evaluate the same evidence under. */
  readonly ownRules?: PolicyRules;
};

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
  // A second verdict of a round has been refused as such.
  demand(replayed.kind === "open", { index, rule: "unique", reason: "the round has its verdict" });
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
  const { decided, ownOutcome } = await evaluateRound(state, { index, verdict, replayed }, tools);
  const difference = differenceOf(verdict, decided);
  if (difference !== undefined)
    throw new ReplayError({ index, rule: "verdict", reason: `the verdict is not what its evidence gives: ${difference}` });
  const outcomes = { outcome: verdict.outcome, ...(ownOutcome && { ownOutcome }) };
  state.rounds.set(verdict.round, { ...settled(replayed, index), ...outcomes });
  const target = state.targets.get(round.target);
  if (target === undefined) return;
  target.newestVerdict = index;
  delete target.target;
}

/** A verdict is final: of its evidence no more is kept than late results are checked against. */
function settled({ round, commitments, results }: OpenRound, verdictIndex: number): Omit<SettledRound, "outcome" | "ownOutcome"> {
  const revealed = new Set(results.map(({ result }) => result.operator));
  return {
    kind: "settled",
    target: round.target,
    standInsCalled: round.standInsCalled,
    verdictIndex,
    commitments: new Map(commitments.map(({ statement: { operator, envelope } }) => [operator, revealed.has(operator) ? null : envelope])),
  };
}

async function evaluateRound(
  state: ReplayState,
  { index, verdict, replayed }: { index: number; verdict: Verdict; replayed: OpenRound },
  tools: Tools,
): Promise<{ decided: Decided; ownOutcome?: VerdictOutcome }> {
  const { round, target, environment, commitments } = replayed;
  const policy = known(state.policies.get(round.policy), { index, rule: "policy", reason: "the round's policy was not logged" });
  const ownPolicy = tools.ownRules && { version: policy.version, ...tools.ownRules };
  const policies = [policy, ...(ownPolicy ? [ownPolicy] : [])];
  const traces: Traces = new Map();
  const results = await Promise.all(replayed.results.map((logged) => withTrace(logged, { index, policies, traces, ...tools })));
  const evidence = {
    target,
    targetDigest: round.target,
    environment,
    round,
    roundId: verdict.round,
    commitments,
    results,
    enrolled: state.enrolled,
    closed: true,
  };
  return { decided: decide(evidence, policy), ...(ownPolicy && { ownOutcome: decide(evidence, ownPolicy).outcome }) };
}

function decide(evidence: Evidence, policy: Policy): Decided {
  const decision = evaluate(evidence, policy);
  if (decision.kind === "undecided") throw new Error("a closed round is always decided");
  return decision;
}

/** A verdict may name the target's newest verdict before it, which it replaces; no other. */
function checkSuperseded(state: ReplayState, index: number, { supersedes, target }: Verdict): void {
  if (supersedes === undefined) return;
  const newest = state.targets.get(target)?.newestVerdict;
  const reason = `it supersedes entry ${supersedes}, and the newest verdict on its target is ${newest === undefined ? "none" : `entry ${newest}`}`;
  demand(supersedes === newest, { index, rule: "verdict", reason });
}

/** Whether a result's trace takes part in the evaluation. */
export function needsTrace({ result }: LoggedResult, policy: Policy): boolean {
  return result.outcome === "built" && policy.threshold > 1 && result.trace.files >= policy.trace.minimumFiles;
}

type Traces = Map<Sha256, Promise<ReadTrace | undefined>>;

type TraceTools = Tools & { readonly index: number; readonly policies: readonly Policy[]; readonly traces: Traces };

async function withTrace(logged: LoggedResult, { policies, traces, ...tools }: TraceTools): Promise<LoggedResult> {
  const { result } = logged;
  const digest = traceDigestOf(result);
  if (digest === undefined || result.outcome === "failed" || !policies.some((policy) => needsTrace(logged, policy))) return logged;
  // Honest builds of one target have one trace: it is read once.
  const reading = traces.get(digest) ?? loadTrace(logged, digest, tools);
  traces.set(digest, reading);
  const trace = traceOf(result, await reading);
  return trace === undefined ? logged : { ...logged, trace };
}

async function loadTrace(
  { index: resultIndex, result }: LoggedResult,
  digest: Sha256,
  { index, loadBlob, hasher }: Tools & { index: number },
): Promise<ReadTrace | undefined> {
  const what = `build trace ${digest} of operator ${result.operator} (entry ${resultIndex})`;
  const reason = (problem: string) => `the verdict cannot be recomputed: ${what} ${problem}`;
  const bytes = known(await loadBlob(digest), { index, rule: "trace", reason: reason("is not to be had") });
  demand(hasher.digest(bytes) === digest, { index, rule: "trace", reason: reason("has other bytes") });
  return readTraceText(bytes, hasher);
}
