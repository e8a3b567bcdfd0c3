import { type PlainStatement, policyDigestOf } from "@quorate/attestation/log-statement";
import type { Sha256 } from "@quorate/protocol/digest";
import { roundIdOf } from "@quorate/protocol/round";
import { type Target, targetDigestOf } from "@quorate/protocol/target";
import { unreachable } from "@quorate/protocol/unreachable";
import type { Verdict, VerdictInput } from "@quorate/protocol/verdict";
import type { ReadModel } from "./read-model.ts";
import { saveVerdictLine, saveVerdictLinesOf } from "./verdict-lines.ts";

/** Keeps what an entry says. Saying it again changes nothing. */
export function saveStatement(model: ReadModel, index: number, statement: PlainStatement): void {
  switch (statement.kind) {
    case "policy": {
      const { policy } = statement;
      model.run("INSERT OR IGNORE INTO policy VALUES (?, ?, ?)", policyDigestOf(policy), index, JSON.stringify(policy));
      return;
    }
    case "operator":
      return saveOperator(model, index, statement.predicate);
    case "target":
      return saveTarget(model, index, statement.target);
    case "round": {
      const { round } = statement;
      const id = roundIdOf(round.target, round.attempt);
      model.run("INSERT OR REPLACE INTO round VALUES (?, ?, ?, ?)", id, index, round.target, JSON.stringify(round));
      return;
    }
    case "commitment": {
      const { round, operator } = statement.commitment;
      model.run("INSERT OR IGNORE INTO commitment VALUES (?, ?, ?)", round, operator, index);
      return;
    }
    case "result": {
      const { result } = statement;
      model.run("INSERT OR IGNORE INTO result VALUES (?, ?, ?, ?)", index, result.round, result.operator, JSON.stringify(result));
      return;
    }
    case "verdict":
      return saveVerdict(model, index, statement.verdict);
    default:
      return unreachable(statement);
  }
}

function saveOperator(model: ReadModel, index: number, predicate: Extract<PlainStatement, { kind: "operator" }>["predicate"]): void {
  if (predicate.action === "enrol") {
    model.run(
      "INSERT OR IGNORE INTO operator (id, enrolled_index, enrolment) VALUES (?, ?, ?)",
      predicate.operator,
      index,
      JSON.stringify(predicate),
    );
  } else if (predicate.action === "revoke") {
    model.run("UPDATE operator SET revoked_index = ? WHERE id = ? AND revoked_index IS NULL", index, predicate.operator);
  }
}

function saveTarget(model: ReadModel, index: number, target: Target): void {
  const digest = targetDigestOf(target);
  const { distribution, suite, source, version, architecture } = target;
  // A large target may be opened after the verdict on it was read.
  const newest = model.prepare("SELECT log_index, outcome FROM verdict WHERE target = ? ORDER BY log_index DESC LIMIT 1").get(digest);
  const ruling = [newest?.["log_index"] ?? null, newest?.["outcome"] ?? null];
  model.run(
    "INSERT OR IGNORE INTO target VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    digest,
    index,
    distribution,
    suite,
    source,
    version,
    architecture,
    ...ruling,
    JSON.stringify(target),
  );
  const insert = model.prepare("INSERT OR IGNORE INTO artifact VALUES (?, ?, ?, ?, ?, ?, ?)");
  for (const artifact of target.artifacts) {
    insert.run(digest, artifact.file, artifact.sha256, artifact.package, source, artifact.version, artifact.architecture);
  }
  if (newest !== undefined) saveVerdictLinesOf(model, digest);
}

function saveVerdict(model: ReadModel, index: number, verdict: Verdict): void {
  const { round, target, outcome } = verdict;
  const saved = model.run("INSERT OR IGNORE INTO verdict VALUES (?, ?, ?, ?, ?)", index, round, target, outcome, JSON.stringify(verdict));
  if (saved.changes === 0) return;
  model.run(
    "UPDATE target SET newest_verdict = ?1, outcome = ?2 WHERE digest = ?3 AND coalesce(newest_verdict, -1) < ?1",
    index,
    outcome,
    target,
  );
  const insert = model.prepare("INSERT OR IGNORE INTO artifact_verdict VALUES (?, ?, ?)");
  for (const artifact of verdict.artifacts) {
    insert.run(index, artifact.file, artifact.outcome);
    for (const sha256 of differing(artifact)) {
      model.run("INSERT OR IGNORE INTO claimed VALUES (?, ?, ?)", sha256, target, artifact.file);
    }
    saveAgreement(model, artifact);
  }
  saveVerdictLine(model, index, verdict);
  for (const { operator, standing } of verdict.inputs) {
    const dissents = standing === "counted" && verdict.dissent.includes(operator);
    saveParticipation(model, { operator, index, round, standing, dissents });
  }
  for (const operator of unrevealed(model, verdict))
    saveParticipation(model, { operator, index, round, standing: "unrevealed", dissents: false });
}

/** Operators that committed to a result of the round that is not in the log. One that the verdict looked at may be in a large envelope. */
function unrevealed(model: ReadModel, { round, inputs }: Verdict): string[] {
  const revealed = new Set<string>(inputs.map(({ operator }) => operator));
  return model
    .prepare("SELECT operator FROM commitment WHERE round = ?1 AND operator NOT IN (SELECT operator FROM result WHERE round = ?1)")
    .all(round)
    .map((row) => String(row["operator"]))
    .filter((operator) => !revealed.has(operator));
}

type Participation = {
  readonly operator: string;
  readonly index: number;
  readonly round: Sha256;
  readonly standing: VerdictInput["standing"] | "unrevealed";
  readonly dissents: boolean;
};

function saveParticipation(model: ReadModel, { operator, index, round, standing, dissents }: Participation): void {
  model.run("INSERT OR IGNORE INTO participation VALUES (?, ?, ?, ?, ?)", operator, index, round, standing, Number(dissents));
  const [counted, missing] = [standing === "counted", standing === "unrevealed"];
  model.run(
    `INSERT INTO operator_record VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET
       counted = counted + ?2, dissenting = dissenting + ?3, not_counted = not_counted + ?4, unrevealed = unrevealed + ?5`,
    operator,
    Number(counted),
    Number(dissents),
    Number(!counted && !missing),
    Number(missing),
  );
}

/** Counts, for each two operators, on how many artifacts they agree of those that both built. */
function saveAgreement(model: ReadModel, { digests }: Verdict["artifacts"][number]): void {
  const claims = digests.flatMap(({ sha256, operators }) => operators.map((operator) => ({ sha256, operator })));
  const add = model.prepare(
    `INSERT INTO agreement VALUES (?1, ?2, ?3, 1) ON CONFLICT DO UPDATE SET equal = equal + ?3, compared = compared + 1`,
  );
  for (const one of claims) {
    for (const other of claims) {
      if (one.operator !== other.operator) add.run(one.operator, other.operator, Number(one.sha256 === other.sha256));
    }
  }
}

/** Digests that operators built and the distribution did not publish. */
function differing({ reference, digests }: Verdict["artifacts"][number]): Sha256[] {
  return digests.map(({ sha256 }) => sha256).filter((sha256) => sha256 !== reference);
}
