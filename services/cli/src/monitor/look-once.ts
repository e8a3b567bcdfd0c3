import { join } from "node:path";
import { ConnectionError } from "@quorate/client/http";
import { verifyNoteSignature } from "@quorate/signing/note-key";
import { verifyCheckpoint } from "@quorate/tlog/checkpoint";
import { decideFreshness } from "@quorate/tlog/cosigned-time";
import { maxNoteBytes, parseNote } from "@quorate/tlog/note";
import { type WitnessPolicy, type Witnessed, evaluateWitnessQuorum } from "@quorate/tlog/tlog-policy";
import { checkNewFiles } from "../check-new-files.ts";
import { loadCheckState } from "../check-state.ts";
import { errorLine } from "../command-error.ts";
import { noCheckpointReason } from "../log-for-reader.ts";
import { createCountedProgress } from "../progress/counted.ts";
import { type Alert, alertOfError } from "./alert.ts";
import { compareCheckpoint } from "./compare-checkpoint.ts";
import { type Shown, addShown, findLagging } from "./cosigners.ts";
import { loadCosigners, saveCosigners } from "./cosigners-file.ts";
import type { SeenCheckpoint } from "./seen-checkpoints.ts";
import { type Place, type Watch, checkStatePath } from "./watch.ts";

/** Looks at every place once: keeps what it shows, and says what is wrong with it. */
export async function lookOnce(watch: Watch): Promise<Alert[]> {
  const alerts: Alert[] = [];
  const shown: Shown[] = [];
  for (const place of watch.places) {
    const at = await blaming(watch, place, alerts, async () => {
      const seen = await fetchCheckpoint(watch, place);
      if (seen === undefined) return;
      alerts.push(...(await compareCheckpoint(watch, place, seen)));
      return seen;
    });
    if (at === undefined) continue;
    await blaming(watch, place, alerts, async () => {
      const { satisfied, witnesses } = evaluateWitnessQuorum(watch.policy, parseNote(at.note), verifyNoteSignature);
      shown.push({ size: at.checkpoint.size, isLogs: place.kind === "log", witnesses });
      if (place.kind === "log") alerts.push(...standing(watch, place, { satisfied, witnesses }));
    });
    if (place.kind !== "log") continue;
    await blaming(watch, place, alerts, async () => {
      const problems = await fileProblems(watch, place, at);
      alerts.push(...problems, ...(problems.length === 0 ? await brokenRules(watch, place, at) : []));
    });
  }
  return [...alerts, ...(await laggingWitnesses(watch, shown))];
}

/** What `look` finds, or an alert about the place when it cannot be had. */
async function blaming<T>({ signal }: Watch, place: Place, alerts: Alert[], look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    signal.throwIfAborted();
    alerts.push(alertOfError(place.name, error));
    return undefined;
  }
}

/** A witness that has not seen the log yet shows nothing. */
async function fetchCheckpoint({ logKey, signal }: Watch, { kind, path, source }: Place): Promise<SeenCheckpoint | undefined> {
  const bytes = await source(path, { maxBytes: maxNoteBytes, signal });
  if (bytes === undefined && kind === "witness") return undefined;
  if (bytes === undefined) throw new ConnectionError("reading the checkpoint", noCheckpointReason);
  const note = new TextDecoder().decode(bytes);
  return { note, checkpoint: verifyCheckpoint(note, logKey, verifyNoteSignature).checkpoint };
}

/** Whether enough witnesses stand behind what the log shows, and lately. */
function standing(
  { policy, freshnessSeconds }: Watch,
  place: Place,
  { satisfied, witnesses }: { satisfied: boolean; witnesses: readonly Witnessed[] },
): Alert[] {
  if (!satisfied) {
    const reason = `cosigned by ${namesOf(witnesses)}, which is not the quorum ${policy.quorum}`;
    return [{ kind: "below-quorum", place: place.name, reason }];
  }
  const freshness = decideFreshness({ policy, witnesses, now: new Date(), freshnessSeconds });
  if (freshness.kind === "fresh") return [];
  const advice = freshness.kind === "stale" ? ": something newer may be held back" : ", or tell the witnesses that theirs are wrong";
  return [{ kind: freshness.kind, place: place.name, reason: `${freshness.reason}${advice}` }];
}

function namesOf(witnesses: readonly Witnessed[]): string {
  return witnesses.map(({ name }) => name).join(", ") || "none";
}

async function laggingWitnesses({ directory, policy, freshnessSeconds }: Watch, shown: readonly Shown[]): Promise<Alert[]> {
  const path = join(directory, "witnesses");
  const cosigners = addShown(await loadCosigners(path), shown, namesIn(policy));
  await saveCosigners(path, cosigners);
  return findLagging(cosigners, freshnessSeconds).map(({ name, reason }) => ({ kind: "lagging", place: `witness ${name}`, reason }));
}

function namesIn({ witnesses }: WitnessPolicy): string[] {
  return witnesses.map(({ name }) => name);
}

/** Hashes what the log added since it was found whole, missing partial tiles included. */
async function fileProblems(
  { directory, logUrl, terminal, signal }: Watch,
  { name, source }: Place,
  { checkpoint }: SeenCheckpoint,
): Promise<Alert[]> {
  const statePath = checkStatePath(directory);
  const state = await loadCheckState(statePath, checkpoint.origin);
  if (state !== undefined && state.size > checkpoint.size) return [];
  using progress = createCountedProgress(terminal, (count) => `checking ${logUrl}: ${count} of about ${checkpoint.size} entries`);
  const check = await checkNewFiles({ url: logUrl, source, checkpoint, state, statePath, onProgress: progress.at, signal });
  return check.problems
    .slice(0, 20)
    .map(({ path, kind, reason }) => ({ kind: "files", place: name, reason: `${kind} ${path}: ${reason}` }));
}

/** Whether the entries that are new say what they may: one that does not is for good, and is said at every look. */
async function brokenRules({ verdicts, terminal, signal }: Watch, { name }: Place, { checkpoint }: SeenCheckpoint): Promise<Alert[]> {
  using progress = createCountedProgress(terminal, (count) => `replaying: ${count} of ${checkpoint.size} entries`);
  const error = await verdicts?.follow(checkpoint, progress.at, signal);
  return error === undefined ? [] : [{ kind: "broken-rule", place: name, reason: errorLine(error), index: error.index, rule: error.rule }];
}
