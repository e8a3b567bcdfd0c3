/** Tables of the read model: statements of the log as JSON, with the columns that pages look for. */
export const readModelTables = `
  CREATE TABLE IF NOT EXISTS read_to (only INTEGER PRIMARY KEY CHECK (only = 1), size INTEGER NOT NULL, peaks BLOB NOT NULL, checkpoint TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS policy (digest TEXT PRIMARY KEY, log_index INTEGER NOT NULL, policy TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS operator (id TEXT PRIMARY KEY, enrolled_index INTEGER NOT NULL, revoked_index INTEGER, enrolment TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS target (digest TEXT PRIMARY KEY, log_index INTEGER NOT NULL, distribution TEXT NOT NULL, suite TEXT NOT NULL,
    source TEXT NOT NULL, version TEXT NOT NULL, architecture TEXT NOT NULL, newest_verdict INTEGER, outcome TEXT, target TEXT NOT NULL) STRICT;
  CREATE INDEX IF NOT EXISTS target_of_suite ON target (distribution, suite, outcome);
  CREATE INDEX IF NOT EXISTS target_by_outcome ON target (outcome, newest_verdict);
  CREATE TABLE IF NOT EXISTS suite_outcome (distribution TEXT NOT NULL, suite TEXT NOT NULL, outcome TEXT NOT NULL, targets INTEGER NOT NULL,
    PRIMARY KEY (distribution, suite, outcome)) STRICT, WITHOUT ROWID;
  CREATE TRIGGER IF NOT EXISTS target_counted AFTER INSERT ON target BEGIN
    INSERT INTO suite_outcome VALUES (new.distribution, new.suite, coalesce(new.outcome, 'pending'), 1) ON CONFLICT DO UPDATE SET targets = targets + 1;
  END;
  CREATE TRIGGER IF NOT EXISTS target_counted_anew AFTER UPDATE OF outcome ON target BEGIN
    UPDATE suite_outcome SET targets = targets - 1
      WHERE distribution = old.distribution AND suite = old.suite AND outcome = coalesce(old.outcome, 'pending');
    INSERT INTO suite_outcome VALUES (new.distribution, new.suite, coalesce(new.outcome, 'pending'), 1) ON CONFLICT DO UPDATE SET targets = targets + 1;
  END;
  CREATE TABLE IF NOT EXISTS artifact (target TEXT NOT NULL, file TEXT NOT NULL, sha256 TEXT NOT NULL, package TEXT NOT NULL, source TEXT NOT NULL,
    version TEXT NOT NULL, architecture TEXT NOT NULL, PRIMARY KEY (target, file)) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS artifact_by_digest ON artifact (sha256);
  CREATE INDEX IF NOT EXISTS artifact_by_package ON artifact (package);
  CREATE INDEX IF NOT EXISTS artifact_by_source ON artifact (source);
  CREATE TABLE IF NOT EXISTS round (id TEXT PRIMARY KEY, log_index INTEGER NOT NULL, target TEXT NOT NULL, round TEXT NOT NULL) STRICT;
  CREATE INDEX IF NOT EXISTS round_of_target ON round (target, log_index);
  CREATE TABLE IF NOT EXISTS commitment (round TEXT NOT NULL, operator TEXT NOT NULL, log_index INTEGER NOT NULL, PRIMARY KEY (round, operator)) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS result (log_index INTEGER PRIMARY KEY, round TEXT NOT NULL, operator TEXT NOT NULL, result TEXT NOT NULL) STRICT;
  CREATE INDEX IF NOT EXISTS result_of_round ON result (round);
  CREATE TABLE IF NOT EXISTS verdict (log_index INTEGER PRIMARY KEY, round TEXT NOT NULL, target TEXT NOT NULL, outcome TEXT NOT NULL, verdict TEXT NOT NULL) STRICT;
  CREATE INDEX IF NOT EXISTS verdict_of_target ON verdict (target, log_index);
  CREATE TABLE IF NOT EXISTS verdict_line (log_index INTEGER PRIMARY KEY, known_at INTEGER NOT NULL, distribution TEXT NOT NULL, suite TEXT NOT NULL,
    line TEXT NOT NULL) STRICT;
  CREATE INDEX IF NOT EXISTS verdict_line_known ON verdict_line (known_at, log_index);
  CREATE INDEX IF NOT EXISTS verdict_line_of_suite ON verdict_line (distribution, suite, log_index);
  CREATE TABLE IF NOT EXISTS artifact_verdict (verdict_index INTEGER NOT NULL, file TEXT NOT NULL, outcome TEXT NOT NULL, PRIMARY KEY (verdict_index, file)) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS claimed (sha256 TEXT NOT NULL, target TEXT NOT NULL, file TEXT NOT NULL, PRIMARY KEY (sha256, target, file)) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS participation (operator TEXT NOT NULL, verdict_index INTEGER NOT NULL, round TEXT NOT NULL, standing TEXT NOT NULL,
    dissents INTEGER NOT NULL, PRIMARY KEY (operator, verdict_index)) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS participation_exception ON participation (operator, verdict_index) WHERE dissents OR standing <> 'counted';
  CREATE TABLE IF NOT EXISTS operator_record (operator TEXT PRIMARY KEY, counted INTEGER NOT NULL, dissenting INTEGER NOT NULL,
    not_counted INTEGER NOT NULL, unrevealed INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS agreement (operator TEXT NOT NULL, other TEXT NOT NULL, equal INTEGER NOT NULL, compared INTEGER NOT NULL, PRIMARY KEY (operator, other)) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS unopened (log_index INTEGER PRIMARY KEY, envelope TEXT NOT NULL, size_bytes INTEGER NOT NULL) STRICT;
`;
