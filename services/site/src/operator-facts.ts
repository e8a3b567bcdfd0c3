import { type Enrolment, type OperatorId, enrolmentSchema } from "@quorate/protocol/operator";
import { standings } from "@quorate/protocol/verdict";
import { z } from "zod";
import type { ReadModel } from "./read-model.ts";

/** An operator as it enrolled in the log. */
export type OperatorFacts = {
  readonly id: OperatorId;
  readonly enrolment: Enrolment;
  readonly enrolledIndex: number;
  readonly revokedIndex: number | undefined;
};

/** In the order of enrolment. */
export function listOperators(model: ReadModel): OperatorFacts[] {
  const rows = model.prepare("SELECT enrolled_index, revoked_index, enrolment FROM operator ORDER BY enrolled_index").all();
  return rows.map((row) => {
    const enrolment = enrolmentSchema.parse(JSON.parse(String(row["enrolment"])));
    const revoked = row["revoked_index"];
    return {
      id: enrolment.operator,
      enrolment,
      enrolledIndex: Number(row["enrolled_index"]),
      revokedIndex: revoked === null || revoked === undefined ? undefined : Number(revoked),
    };
  });
}

/** By operator id. */
export function operatorNames(model: ReadModel): ReadonlyMap<string, string> {
  return new Map(listOperators(model).map(({ id, enrolment }) => [id, enrolment.name]));
}

/** What an operator did in the rounds that have their verdict, as the log alone tells it. */
export type OperatorRecord = {
  readonly counted: number;
  readonly dissenting: number;
  readonly notCounted: number;
  readonly unrevealed: number;
};

const recordSchema = z.object({ counted: z.number(), dissenting: z.number(), notCounted: z.number(), unrevealed: z.number() });

export function recordOf(model: ReadModel, operator: OperatorId): OperatorRecord {
  const row = model
    .prepare("SELECT counted, dissenting, not_counted AS notCounted, unrevealed FROM operator_record WHERE operator = ?")
    .get(operator);
  return row === undefined ? { counted: 0, dissenting: 0, notCounted: 0, unrevealed: 0 } : recordSchema.parse(row);
}

/** On how many of the artifacts that both built two operators agree. */
export type Agreement = { readonly equal: number; readonly compared: number };

export function loadAgreement(model: ReadModel): ReadonlyMap<string, Agreement> {
  const rows = model.prepare("SELECT operator, other, equal, compared FROM agreement").all();
  return new Map(
    rows.map((row) => [
      agreementKey(String(row["operator"]), String(row["other"])),
      { equal: Number(row["equal"]), compared: Number(row["compared"]) },
    ]),
  );
}

export const agreementKey = (operator: string, other: string): string => `${operator} ${other}`;

const participationSchema = z.enum([...standings, "unrevealed"]);
type Participation = z.infer<typeof participationSchema>;

/** A result that did not go with the verdict. */
export type Exception = {
  readonly verdictIndex: number;
  readonly standing: Participation;
  readonly source: string;
  readonly version: string;
};

/** The newest verdicts with which an operator did not go, or that did not count it. */
export function listExceptions(model: ReadModel, operator: OperatorId, limit: number): Exception[] {
  return model
    .prepare(
      `SELECT participation.verdict_index, participation.standing, target.source, target.version
       FROM participation INDEXED BY participation_exception JOIN verdict ON verdict.log_index = participation.verdict_index JOIN target ON target.digest = verdict.target
       WHERE participation.operator = ? AND (dissents OR standing <> 'counted')
       ORDER BY participation.verdict_index DESC LIMIT ?`,
    )
    .all(operator, limit)
    .map((row) => ({
      verdictIndex: Number(row["verdict_index"]),
      standing: participationSchema.parse(row["standing"]),
      source: String(row["source"]),
      version: String(row["version"]),
    }));
}
