import type { SQLOutputValue } from "node:sqlite";
import { type Sha256, parseSha256 } from "@quorate/protocol/digest";
import { type VerdictOutcome, verdictOutcomes } from "@quorate/protocol/verdict";
import { z } from "zod";
import type { ReadModel } from "./read-model.ts";

/** A published artifact with what the newest verdict says of it, in one line of a list. */
export type ArtifactLine = {
  readonly sha256: Sha256;
  readonly file: string;
  readonly package: string;
  readonly source: string;
  readonly version: string;
  readonly architecture: string;
  readonly distribution: string;
  readonly suite: string;
  readonly outcome: VerdictOutcome | undefined;
  readonly verdictIndex: number | undefined;
};

export const maxLines = 200;

const select = `
  SELECT artifact.sha256, artifact.file, artifact.package, artifact.source, artifact.version, artifact.architecture, target.distribution,
    target.suite, target.newest_verdict, coalesce(artifact_verdict.outcome, target.outcome) AS outcome
  FROM artifact JOIN target ON target.digest = artifact.target
  LEFT JOIN artifact_verdict ON artifact_verdict.verdict_index = target.newest_verdict AND artifact_verdict.file = artifact.file`;

/** Artifacts of the binary or source package of this name, newest verdict first. */
export function listPackage(model: ReadModel, name: string, version?: string): ArtifactLine[] {
  const lines = (column: "package" | "source") =>
    model
      .prepare(
        `${select} WHERE artifact.${column} = ?1 AND (?2 IS NULL OR artifact.version = ?2 OR target.version = ?2)
         ORDER BY target.newest_verdict DESC LIMIT ${maxLines}`,
      )
      .all(name, version ?? null)
      .map(lineOf);
  const all = [...lines("package"), ...lines("source")];
  return [...new Map(all.map((line) => [`${line.suite} ${line.sha256}`, line])).values()];
}

/** Published artifacts of a package that have this file name: one, unless distributions publish different files under it. */
export function findFile(model: ReadModel, file: string, name: string): ArtifactLine[] {
  return model
    .prepare(`${select} WHERE artifact.package = ? AND artifact.file = ? ORDER BY target.newest_verdict DESC LIMIT ${maxLines}`)
    .all(name, file)
    .map(lineOf);
}

/** Names of packages and sources that begin with this text, in order. */
export function listNames(model: ReadModel, prefix: string, limit: number): string[] {
  // Names are ASCII: the next prefix after this one ends where the names that begin with it end.
  const end = `${prefix}\u{10ffff}`;
  const names = (column: "package" | "source") =>
    model
      .prepare(`SELECT DISTINCT ${column} AS name FROM artifact WHERE ${column} >= ? AND ${column} < ? ORDER BY ${column} LIMIT ?`)
      .all(prefix, end, limit)
      .map((row) => String(row["name"]));
  return [...new Set([...names("package"), ...names("source")])].toSorted().slice(0, limit);
}

const outcomeSchema = z.enum(verdictOutcomes).nullable();

function lineOf(row: Record<string, SQLOutputValue>): ArtifactLine {
  const text = (column: string) => String(row[column]);
  const verdict = row["newest_verdict"];
  return {
    sha256: parseSha256(text("sha256")),
    file: text("file"),
    package: text("package"),
    source: text("source"),
    version: text("version"),
    architecture: text("architecture"),
    distribution: text("distribution"),
    suite: text("suite"),
    outcome: outcomeSchema.parse(row["outcome"]) ?? undefined,
    verdictIndex: verdict === null || verdict === undefined ? undefined : Number(verdict),
  };
}
