import { policyDigestOf } from "@quorate/attestation/log-statement";
import { formatCanonicalJson } from "@quorate/protocol/canonical-json";
import { jobIdOf } from "@quorate/protocol/job";
import { defaultPolicy } from "@quorate/protocol/policy";
import { portableSignerOf } from "@quorate/attestation/portable-signer.fixture";
import { enrolmentOf } from "@quorate/verdict/network.fixture";
import { openDataDirectory } from "@quorate/service/data-directory";
import { statementsOfResult, statementsOfVerdict } from "../services/coordinator/src/artifact-statements.ts";
import { type Database, openDatabase, type Queries } from "../services/coordinator/src/database.ts";
import {
  artifactStatuses,
  jobs,
  operators,
  publishedArtifacts,
  publishedSources,
  rounds,
  targets,
  verdictArtifacts,
  verdicts,
} from "../services/coordinator/src/schema.ts";
import { artifactRowsOf } from "../services/coordinator/src/store/verdicts.ts";
import { openReadModel, type ReadModel, readModelFormat } from "../services/site/src/read-model.ts";
import { saveStatement } from "../services/site/src/save-statement.ts";
import { largeNetwork, type LargeRound, largeRound } from "./large-network.ts";

const roundsAtOnce = 500;
const at = new Date("2026-11-23T09:00:00Z");

type OnRound = (done: number) => void;

type Places = { databaseUrl?: string | undefined; readModelDirectory?: string | undefined; onRound?: (what: string, done: number) => void };

/** Puts the large network into a coordinator's database, whose schema is brought up to date, and into the data directory of a site. */
export async function seedLarge({ databaseUrl, readModelDirectory, onRound = () => {} }: Places): Promise<void> {
  if (databaseUrl !== undefined) {
    const onError = (error: Error) => console.error(`seed: ${error.message}`);
    await using database = await openDatabase({ url: databaseUrl, onError });
    await seedDatabase(database.db, (done) => onRound("database", done));
  }
  if (readModelDirectory !== undefined) {
    await using directory = await openDataDirectory({ path: readModelDirectory, service: "site", format: readModelFormat });
    using model = await openReadModel(directory);
    model.saveReadTo({ size: 0, peaks: [], checkpoint: "" }, () => seedReadModel(model, (done) => onRound("read model", done)));
  }
}

/** The large network's rounds as a coordinator's database has them, without the envelopes. */
async function seedDatabase(db: Database, onRound: OnRound): Promise<void> {
  await db.insert(operators).values(
    largeNetwork.operators.map((name, position) => {
      const signer = portableSignerOf(name);
      const enrolment = formatCanonicalJson(enrolmentOf(signer));
      return { operator: signer.operator, enrolment, name, enrolledIndex: position + 1, enrolledAt: at };
    }),
  );
  for (let number = 0; number < largeNetwork.targets; number += roundsAtOnce) {
    const count = Math.min(roundsAtOnce, largeNetwork.targets - number);
    const seeded = Array.from({ length: count }, (_, position) => largeRound(number + position));
    await db.transaction((tx) => saveRounds(tx, seeded));
    onRound(number + count);
  }
}

async function saveRounds(db: Queries, seeded: readonly LargeRound[]): Promise<void> {
  await db.insert(targets).values(seeded.map(targetRow));
  await db.insert(rounds).values(seeded.map(roundRow));
  await db.insert(jobs).values(seeded.flatMap(jobRows));
  await db.insert(verdicts).values(
    seeded.map(({ roundId: round, verdict, indexes }) => ({
      round,
      target: verdict.target,
      outcome: verdict.outcome,
      verdict: JSON.stringify(verdict),
      logIndex: indexes.verdict,
    })),
  );
  await db
    .insert(verdictArtifacts)
    .values(seeded.flatMap(({ verdict, indexes, target }) => artifactRowsOf({ verdict, index: indexes.verdict }, target)));
  await savePublished(db, seeded);
}

function targetRow({ target, verdict, indexes, round: { seed } }: LargeRound): typeof targets.$inferInsert {
  const { distribution, suite, source, version, architecture } = target;
  const logged = { logIndex: indexes.target, seedSize: seed.size, seedRoot: seed.rootSha256 };
  return { digest: verdict.target, target: formatCanonicalJson(target), distribution, suite, source, version, architecture, ...logged };
}

function roundRow({ round, roundId, verdict }: LargeRound): typeof rounds.$inferInsert {
  return {
    round: roundId,
    target: verdict.target,
    attempt: 1,
    policy: policyDigestOf(defaultPolicy),
    state: "settled",
    statement: formatCanonicalJson(round),
    submittedAt: at,
    committeeDrawnAt: at,
    settledAt: at,
  };
}

function jobRows({ results, roundId, indexes }: LargeRound): (typeof jobs.$inferInsert)[] {
  return results.map((result, rank) => ({
    job: jobIdOf(roundId, result.operator),
    round: roundId,
    operator: result.operator,
    rank,
    createdAt: at,
    publishedAt: at,
    fence: 1,
    startedAt: at,
    committedAt: at,
    commitmentIndex: indexes.round + 1 + rank,
    revealedAt: at,
    resultIndex: indexes.results[rank],
    outcome: "built" as const,
    buildSeconds: 60,
    standing: "counted" as const,
  }));
}

/** What the archive published, and what operators and the network say of it. */
async function savePublished(db: Queries, seeded: readonly LargeRound[]): Promise<void> {
  const sources = await db
    .insert(publishedSources)
    .values(
      seeded.map(({ target: { distribution, suite, component, source: name, version } }) => ({
        distribution,
        suite,
        component,
        name,
        version,
        seenAt: at,
      })),
    )
    .returning();
  const idOfSource = new Map(sources.map(({ name, id }) => [name, id]));
  const artifacts = await db
    .insert(publishedArtifacts)
    .values(
      seeded.flatMap(({ target }) =>
        target.artifacts.map(({ sizeBytes: _size, ...artifact }) => ({ ...artifact, source: idOfSource.get(target.source) ?? 0 })),
      ),
    )
    .returning();
  const idOf = new Map(artifacts.map(({ file, id }) => [file, id]));
  await db.insert(artifactStatuses).values(
    seeded.flatMap(({ target, results, verdict, indexes }) => [
      ...statementsOfVerdict(verdict).map((statement) => statusRow("network", indexes.verdict, statement)),
      ...results.flatMap((result, position) => {
        const index = indexes.results[position] ?? 0;
        return statementsOfResult({ result, index }, target, new Set()).map((statement) => statusRow(result.operator, index, statement));
      }),
    ]),
  );

  function statusRow(says: string, entry: number, statement: ReturnType<typeof statementsOfVerdict>[number]) {
    const { file, status, result, linked } = statement;
    return { says, artifact: idOf.get(file) ?? 0, status, entry, result, linked, statedAt: at };
  }
}

/** The same as the site reads it out of the log, whose entries there are none of. */
function seedReadModel(model: ReadModel, onRound: OnRound): void {
  saveStatement(model, 0, { kind: "policy", policy: defaultPolicy });
  for (const [position, name] of largeNetwork.operators.entries()) {
    saveStatement(model, position + 1, { kind: "operator", predicate: enrolmentOf(portableSignerOf(name)) });
  }
  for (let number = 0; number < largeNetwork.targets; number += 1) {
    const { target, round, roundId, results, verdict, indexes } = largeRound(number);
    saveStatement(model, indexes.target, { kind: "target", target });
    saveStatement(model, indexes.round, { kind: "round", round });
    for (const [position, result] of results.entries()) {
      const commitment = {
        round: roundId,
        operator: result.operator,
        fence: 1,
        envelope: verdict.inputs[position]?.envelope ?? verdict.target,
      };
      saveStatement(model, indexes.round + 1 + position, { kind: "commitment", commitment });
    }
    for (const [position, result] of results.entries()) saveStatement(model, indexes.results[position] ?? 0, { kind: "result", result });
    saveStatement(model, indexes.verdict, { kind: "verdict", verdict });
    if (number % roundsAtOnce === 0) onRound(number);
  }
}
