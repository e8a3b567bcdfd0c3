import type { SQLOutputValue } from "node:sqlite";
import { type Sha256, parseSha256 } from "@quorate/protocol/digest";
import { type OperatorId, operatorIdSchema } from "@quorate/protocol/operator";
import { type Policy, policySchema } from "@quorate/protocol/policy";
import { type Result, resultSchema } from "@quorate/protocol/result";
import { type Round, roundSchema } from "@quorate/protocol/round";
import { type ExpectedArtifact, type Target, targetSchema } from "@quorate/protocol/target";
import { type ArtifactVerdict, type Verdict, verdictSchema } from "@quorate/protocol/verdict";
import { type OperatorFacts, listOperators } from "./operator-facts.ts";
import type { ReadModel } from "./read-model.ts";

export type Ruling = { readonly index: number; readonly verdict: Verdict };
export type LoggedResult = { readonly index: number; readonly result: Result };

/** One attempt at a verdict, as far as the log tells. */
export type RoundFacts = {
  readonly id: Sha256;
  readonly index: number;
  readonly round: Round;
  readonly policy: Policy | undefined;
  readonly commitments: readonly { readonly operator: OperatorId; readonly index: number }[];
  readonly results: readonly LoggedResult[];
  readonly ruling: Ruling | undefined;
};

export type TargetFacts = {
  readonly digest: Sha256;
  readonly index: number;
  readonly target: Target;
  /** Newest first. */
  readonly rounds: readonly RoundFacts[];
  readonly operators: ReadonlyMap<OperatorId, OperatorFacts>;
};

export type ArtifactFacts = TargetFacts & {
  readonly artifact: ExpectedArtifact;
  /** The digest that was asked for: the reference, or one that operators built instead. */
  readonly sha256: Sha256;
  /** The newest verdict on the target, and what it says of this artifact. */
  readonly newest: { readonly ruling: Ruling; readonly said: ArtifactVerdict | undefined; readonly round: RoundFacts } | undefined;
};

/** What the log says of the artifact with this digest, published or built; of several targets, the one with the newest verdict. */
export function findArtifact(model: ReadModel, sha256: Sha256): ArtifactFacts | undefined {
  const row =
    model.prepare(`${artifactSql("artifact")} WHERE artifact.sha256 = ? ${newestFirst}`).get(sha256) ??
    model.prepare(`${artifactSql("claimed")} WHERE claimed.sha256 = ? ${newestFirst}`).get(sha256);
  const facts = row && findTarget(model, String(row["target"]));
  const artifact = facts?.target.artifacts.find(({ file }) => file === row?.["file"]);
  if (facts === undefined || artifact === undefined) return undefined;
  const round = facts.rounds.find(({ ruling }) => ruling !== undefined);
  const ruling = round?.ruling;
  const said = ruling?.verdict.artifacts.find(({ file }) => file === artifact.file);
  return { ...facts, artifact, sha256, newest: round && ruling && { ruling, said, round } };
}

const artifactSql = (table: "artifact" | "claimed") =>
  `SELECT ${table}.target AS target, ${table}.file AS file FROM ${table} JOIN target ON target.digest = ${table}.target`;
const newestFirst = "ORDER BY target.newest_verdict DESC, target.log_index DESC LIMIT 1";

export function findTarget(model: ReadModel, digest: string): TargetFacts | undefined {
  const row = model.prepare("SELECT log_index, target FROM target WHERE digest = ?").get(digest);
  if (row === undefined) return undefined;
  const rounds = model.prepare("SELECT id, log_index, round FROM round WHERE target = ? ORDER BY log_index DESC LIMIT 50").all(digest);
  return {
    digest: parseSha256(digest),
    index: Number(row["log_index"]),
    target: targetSchema.parse(JSON.parse(String(row["target"]))),
    rounds: rounds.map((round) => roundFactsOf(model, round)),
    operators: new Map(listOperators(model).map((operator) => [operator.id, operator])),
  };
}

/** The result in the entry of this index, if it holds one. */
export function findResult(model: ReadModel, index: number): LoggedResult | undefined {
  const row = model.prepare("SELECT log_index, result FROM result WHERE log_index = ?").get(index);
  return row && loggedResultOf(row);
}

function loggedResultOf(row: Record<string, SQLOutputValue>): LoggedResult {
  return { index: Number(row["log_index"]), result: resultSchema.parse(JSON.parse(String(row["result"]))) };
}

function roundFactsOf(model: ReadModel, row: Record<string, SQLOutputValue>): RoundFacts {
  const id = parseSha256(String(row["id"]));
  const round = roundSchema.parse(JSON.parse(String(row["round"])));
  const policy = model.prepare("SELECT policy FROM policy WHERE digest = ?").get(round.policy);
  const commitments = model.prepare("SELECT operator, log_index FROM commitment WHERE round = ? ORDER BY log_index").all(id);
  const results = model.prepare("SELECT log_index, result FROM result WHERE round = ? ORDER BY log_index").all(id);
  const verdict = model.prepare("SELECT log_index, verdict FROM verdict WHERE target = ? AND round = ?").get(round.target, id);
  return {
    id,
    index: Number(row["log_index"]),
    round,
    policy: policy && policySchema.parse(JSON.parse(String(policy["policy"]))),
    commitments: commitments.map((commitment) => ({
      operator: operatorIdSchema.parse(commitment["operator"]),
      index: Number(commitment["log_index"]),
    })),
    results: results.map(loggedResultOf),
    ruling: verdict && { index: Number(verdict["log_index"]), verdict: verdictSchema.parse(JSON.parse(String(verdict["verdict"]))) },
  };
}
