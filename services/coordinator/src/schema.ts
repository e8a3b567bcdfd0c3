import { standings } from "@quorate/protocol/verdict";
import { sql } from "drizzle-orm";
import {
  type AnyPgColumn,
  bigint,
  boolean,
  check,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from "drizzle-orm/pg-core";
import { apiTokens } from "./administration-tables.ts";
import { bytes, logIndex, time } from "./columns.ts";

/**
 * The facts that the coordinator keeps. Redis and NATS hold none of them: what has to be done next follows from these tables alone.
 * Nouns are kept as the canonical JSON (or envelope bytes) that is signed and logged; the columns beside them are for finding.
 */

/** A job in which the operator did not go with the others: it dissents, its result did not count, or it has none. */
export const isException = ({
  dissents,
  standing,
  committedAt,
  resultIndex,
}: Record<"dissents" | "standing" | "committedAt" | "resultIndex", AnyPgColumn>) =>
  sql`(${dissents} or ${standing} <> 'counted' or (${committedAt} is not null and ${resultIndex} is null))`;

/** Every entry that this coordinator had appended to the log, exactly as logged. */
export const entries = pgTable(
  "entries",
  {
    logIndex: logIndex("log_index").primaryKey(),
    key: text("key").notNull(),
    kind: text("kind", { enum: ["policy", "operator", "target", "round", "commitment", "result", "verdict"] }).notNull(),
    digest: text("digest").notNull(),
    round: text("round"),
    target: text("target"),
    operator: text("operator"),
    envelope: bytes("envelope").notNull(),
  },
  (table) => [
    uniqueIndex("entries_key").on(table.key),
    index("entries_round").on(table.round),
    index("entries_target").on(table.target),
    index("entries_operator").on(table.operator),
  ],
);

export const policies = pgTable("policies", {
  digest: text("digest").primaryKey(),
  policy: text("policy").notNull(),
  /** Absent while it is being logged. */
  logIndex: logIndex("log_index"),
});

export const operators = pgTable("operators", {
  operator: text("operator").primaryKey(),
  enrolment: text("enrolment").notNull(),
  name: text("name").notNull(),
  enrolledIndex: logIndex("enrolled_index").notNull(),
  revokedIndex: logIndex("revoked_index"),
  enrolledAt: time("enrolled_at").notNull(),
});

/** Changes of operators' keys, as logged. */
export const operatorRotations = pgTable(
  "operator_rotations",
  {
    logIndex: logIndex("log_index").primaryKey(),
    operator: text("operator")
      .notNull()
      .references(() => operators.operator),
    rotation: text("rotation").notNull(),
  },
  (table) => [index("operator_rotations_operator").on(table.operator)],
);

/**
 * Operators' statements that are not in the log yet. One that is `logging` may be there already: until it is known, no committee is drawn
 * and no envelope of that operator is taken, since what follows in the log would be judged with it.
 */
export const operatorStatements = pgTable(
  "operator_statements",
  {
    /** Logical key of the entry. */
    key: text("key").primaryKey(),
    operator: text("operator").notNull(),
    state: text("state", { enum: ["pending", "refused", "logging"] }).notNull(),
    /** As the operator signed it while it is pending; as it will be logged from then on. */
    envelope: bytes("envelope").notNull(),
    reason: text("reason"),
    receivedAt: time("received_at").notNull(),
  },
  (table) => [index("operator_statements_operator").on(table.operator), index("operator_statements_state").on(table.state)],
);

export const workers = pgTable(
  "workers",
  {
    /** Public NATS user key. */
    worker: text("worker").primaryKey(),
    operator: text("operator")
      .notNull()
      .references(() => operators.operator),
    name: text("name").notNull(),
    capabilities: text("capabilities").notNull(),
    registeredAt: time("registered_at").notNull(),
    renewedAt: time("renewed_at").notNull(),
    /** When the newest credentials end by themselves. */
    expiresAt: time("expires_at").notNull(),
    /** Credentials issued until then are refused. */
    revokedBefore: time("revoked_before"),
    dismissedAt: time("dismissed_at"),
  },
  (table) => [index("workers_operator").on(table.operator)],
);

export const targets = pgTable(
  "targets",
  {
    digest: text("digest").primaryKey(),
    target: text("target").notNull(),
    distribution: text("distribution").notNull(),
    suite: text("suite").notNull(),
    source: text("source").notNull(),
    version: text("version").notNull(),
    architecture: text("architecture").notNull(),
    logIndex: logIndex("log_index"),
    /** The first published checkpoint that includes the target's entry: committees are drawn from it. */
    seedSize: logIndex("seed_size"),
    seedRoot: text("seed_root"),
  },
  (table) => [index("targets_source").on(table.source, table.version)],
);

export const submissions = pgTable(
  "submissions",
  {
    id: text("id").primaryKey(),
    request: jsonb("request").notNull(),
    /** Whose it is. */
    project: text("project").notNull(),
    /** Id of the API token that it came with. */
    token: text("token")
      .notNull()
      .references(() => apiTokens.id),
    submittedAt: time("submitted_at").notNull(),
  },
  (table) => [index("submissions_project").on(table.project, table.submittedAt, table.id)],
);

export const submissionTargets = pgTable(
  "submission_targets",
  {
    submission: text("submission")
      .notNull()
      .references(() => submissions.id),
    target: text("target")
      .notNull()
      .references(() => targets.digest),
    position: integer("position").notNull(),
  },
  (table) => [primaryKey({ columns: [table.submission, table.target] }), index("submission_targets_target").on(table.target)],
);

/**
 * One attempt at a verdict. Its state is the outbox: the transaction that stores a submission makes its rounds `planned`, and every
 * state but `settled` is work that a step still has to do.
 */
export const rounds = pgTable(
  "rounds",
  {
    round: text("round").primaryKey(),
    target: text("target")
      .notNull()
      .references(() => targets.digest),
    attempt: integer("attempt").notNull(),
    policy: text("policy").notNull(),
    state: text("state", { enum: ["planned", "building", "revealing", "settling", "settled"] }).notNull(),
    /** The round as last logged (canonical JSON), once a committee is drawn. */
    statement: text("statement"),
    /** Why it does not go on, for people. */
    reason: text("reason"),
    submittedAt: time("submitted_at").notNull(),
    committeeDrawnAt: time("committee_drawn_at"),
    commitBy: time("commit_by"),
    revealStartedAt: time("reveal_started_at"),
    revealBy: time("reveal_by"),
    settledAt: time("settled_at"),
    /** Steps that failed in a row, and when the next may be tried. */
    failures: integer("failures").notNull().default(0),
    nextTryAt: time("next_try_at"),
  },
  (table) => [
    uniqueIndex("rounds_target_attempt").on(table.target, table.attempt),
    index("rounds_unsettled")
      .on(table.state)
      .where(sql`${table.state} <> 'settled'`),
    index("rounds_submitted").on(table.submittedAt),
  ],
);

export const jobs = pgTable(
  "jobs",
  {
    job: text("job").primaryKey(),
    round: text("round")
      .notNull()
      .references(() => rounds.round),
    operator: text("operator")
      .notNull()
      .references(() => operators.operator),
    /** Rank in the draw: committee members first, then called stand-ins. */
    rank: integer("rank").notNull(),
    createdAt: time("created_at").notNull(),
    /** Fence of the first delivery of the message as last published; raised when the transport has lost its store. */
    baseFence: integer("base_fence").notNull().default(1),
    publishedAt: time("published_at"),
    /** Highest fence seen in a report: an older one comes from a worker that has lost the job. */
    fence: integer("fence").notNull().default(0),
    startedAt: time("started_at"),
    committedAt: time("committed_at"),
    commitmentIndex: logIndex("commitment_index"),
    /** Digest of the result's envelope that the operator is bound to. */
    committedEnvelope: text("committed_envelope"),
    revealedAt: time("revealed_at"),
    resultIndex: logIndex("result_index"),
    /** Of the record of the result's signature. */
    recordIndex: logIndex("record_index"),
    outcome: text("outcome", { enum: ["built", "failed", "declined"] }),
    /** Seconds that the build took, as the result states: what estimates are made from. */
    buildSeconds: integer("build_seconds"),
    /** Why the operator declined, or why its result cannot be taken. */
    remark: text("remark"),
    /** How the round's verdict took the result, and whether the result says something else than the verdict. */
    standing: text("standing", { enum: standings }),
    dissents: boolean("dissents").notNull().default(false),
    uploadedBytes: bigint("uploaded_bytes", { mode: "number" }).notNull().default(0),
  },
  (table) => [
    uniqueIndex("jobs_round_operator").on(table.round, table.operator),
    index("jobs_history").on(table.operator, table.revealedAt),
    index("jobs_exceptions").on(table.operator, table.createdAt).where(isException(table)),
    check("jobs_result_needs_commitment", sql`${table.resultIndex} is null or ${table.commitmentIndex} is not null`),
  ],
);

/**
 * Admitted envelopes on their way to the log. A round leaves a state only after those that were admitted in it are logged, so that its
 * verdict looks at exactly what the log has, whatever crashes in between.
 */
export const receivedEnvelopes = pgTable(
  "received_envelopes",
  {
    job: text("job")
      .notNull()
      .references(() => jobs.job),
    kind: text("kind", { enum: ["commitment", "result"] }).notNull(),
    round: text("round").notNull(),
    fence: integer("fence").notNull(),
    envelope: bytes("envelope").notNull(),
  },
  (table) => [primaryKey({ columns: [table.job, table.kind] }), index("received_envelopes_round").on(table.round)],
);

export const verdicts = pgTable(
  "verdicts",
  {
    round: text("round")
      .primaryKey()
      .references(() => rounds.round),
    target: text("target")
      .notNull()
      .references(() => targets.digest),
    outcome: text("outcome", { enum: ["reproduced", "mismatch", "unreproducible", "failed", "inconclusive"] }).notNull(),
    verdict: text("verdict").notNull(),
    logIndex: logIndex("log_index").notNull(),
  },
  (table) => [index("verdicts_target").on(table.target), uniqueIndex("verdicts_log_index").on(table.logIndex)],
);

/** Which verdicts speak of an artifact: by the digest that was published, and by every digest that operators built instead. */
export const verdictArtifacts = pgTable(
  "verdict_artifacts",
  {
    verdictIndex: logIndex("verdict_index").notNull(),
    file: text("file").notNull(),
    sha256: text("sha256").notNull(),
    published: boolean("published").notNull(),
    target: text("target").notNull(),
    round: text("round").notNull(),
    package: text("package").notNull(),
    version: text("version").notNull(),
    architecture: text("architecture").notNull(),
    outcome: text("outcome", { enum: ["reproduced", "mismatch", "unreproducible", "failed", "inconclusive"] }).notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.verdictIndex, table.file, table.sha256] }),
    index("verdict_artifacts_sha256").on(table.sha256),
    index("verdict_artifacts_package").on(table.package, table.version),
  ],
);

/** Sources that the distribution published, each once, however many targets it has. Clients of rebuilderd know them by number. */
export const publishedSources = pgTable(
  "published_sources",
  {
    id: integer("id").primaryKey().generatedAlwaysAsIdentity(),
    distribution: text("distribution").notNull(),
    suite: text("suite").notNull(),
    component: text("component").notNull(),
    name: text("name").notNull(),
    version: text("version").notNull(),
    /** When a submission last found it in the archive. */
    seenAt: time("seen_at").notNull(),
  },
  (table) => [uniqueIndex("published_sources_name").on(table.distribution, table.suite, table.name, table.version)],
);

/** Package files that the distribution published. */
export const publishedArtifacts = pgTable(
  "published_artifacts",
  {
    id: integer("id").primaryKey().generatedAlwaysAsIdentity(),
    source: integer("source")
      .notNull()
      .references(() => publishedSources.id),
    file: text("file").notNull(),
    path: text("path").notNull(),
    package: text("package").notNull(),
    version: text("version").notNull(),
    architecture: text("architecture").notNull(),
    sha256: text("sha256").notNull(),
  },
  (table) => [
    uniqueIndex("published_artifacts_file").on(table.source, table.file, table.sha256),
    index("published_artifacts_package").on(table.package, table.version),
  ],
);

/** What a party says of a published package file: an operator by its newest result, the network by its newest verdict. */
export const artifactStatuses = pgTable(
  "artifact_statuses",
  {
    /** An operator's id, or `network`. */
    says: text("says").notNull(),
    artifact: integer("artifact")
      .notNull()
      .references(() => publishedArtifacts.id),
    status: text("status", { enum: ["good", "bad", "failed", "unknown"] }).notNull(),
    /** Log index of the entry that says it. */
    entry: logIndex("entry").notNull(),
    /** Log index of the result that it rests on. */
    result: logIndex("result"),
    /** Whether that result's operator signed an in-toto link for this file. */
    linked: boolean("linked").notNull(),
    statedAt: time("stated_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.says, table.artifact] }), index("artifact_statuses_artifact").on(table.artifact, table.result)],
);
