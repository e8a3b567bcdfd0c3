/**
 * Counts of a suite's targets by something that their statements say, kept up by triggers on `target`: of facet `component` and `cause` how many
 * there are by their newest verdicts, of facet `day` by how many there were more or fewer at its end. `log_day` has the size of the log.
 */
export const suiteTables = `
  CREATE TABLE IF NOT EXISTS suite_facet (distribution TEXT NOT NULL, suite TEXT NOT NULL, facet TEXT NOT NULL, value TEXT NOT NULL, outcome TEXT NOT NULL,
    targets INTEGER NOT NULL, PRIMARY KEY (distribution, suite, facet, value, outcome)) STRICT, WITHOUT ROWID;
  CREATE TRIGGER IF NOT EXISTS target_facets AFTER INSERT ON target BEGIN
    ${count("new", "component", 1)} ${count("new", "cause", 1)} ${count("new", "day", 1)}
  END;
  CREATE TRIGGER IF NOT EXISTS target_facets_anew AFTER UPDATE OF outcome ON target BEGIN
    ${count("old", "component", -1)} ${count("old", "cause", -1)} ${count("old", "day", -1)}
    ${count("new", "component", 1)} ${count("new", "cause", 1)} ${count("new", "day", 1)}
  END;
  CREATE TABLE IF NOT EXISTS log_day (day TEXT PRIMARY KEY, size INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TRIGGER IF NOT EXISTS verdict_day AFTER INSERT ON verdict BEGIN
    INSERT INTO log_day VALUES (substr(json_extract(new.verdict, '$.decidedAt'), 1, 10), new.log_index + 1)
      ON CONFLICT DO UPDATE SET size = max(size, excluded.size);
  END;
`;

function count(row: "old" | "new", facet: "component" | "cause" | "day", by: 1 | -1): string {
  const ofVerdict = (value: string, of: "old" | "new") => `(SELECT ${value} FROM verdict WHERE log_index = ${of}.newest_verdict)`;
  const reason = "json_extract(verdict, '$.reason')";
  // The reason of a failure begins with one of a few words (verdict/src/reason.ts).
  const cause = `CASE outcome WHEN 'failed' THEN substr(${reason}, 1, instr(${reason} || ':', ':') - 1) ELSE outcome END`;
  const { value, where } = {
    component: { value: `json_extract(${row}.target, '$.component')`, where: "true" },
    cause: { value: ofVerdict(`coalesce(${cause}, outcome)`, row), where: `${row}.outcome <> 'reproduced'` },
    // What was before ends on the day of what is now.
    day: { value: ofVerdict("substr(json_extract(verdict, '$.decidedAt'), 1, 10)", "new"), where: `${row}.outcome IS NOT NULL` },
  }[facet];
  return `
    INSERT INTO suite_facet SELECT ${row}.distribution, ${row}.suite, '${facet}', ${value}, coalesce(${row}.outcome, 'pending'), ${by} WHERE ${where}
      ON CONFLICT DO UPDATE SET targets = targets + excluded.targets;`;
}
