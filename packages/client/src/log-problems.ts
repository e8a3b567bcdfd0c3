/** What is wrong with one file of a log. `path` is below the log's prefix, such as `tile/0/x001/234.p/7` or `checkpoint`. */
export type LogProblem = { readonly path: string; readonly kind: "missing" | "wrong"; readonly reason: string };

const problemsKept = 1000;

/** Problems found, in the order of finding: the first thousand are kept, all are counted. */
export class LogProblems {
  readonly kept: LogProblem[] = [];
  count = 0;

  add(problem: LogProblem): void {
    this.count += 1;
    if (this.kept.length < problemsKept) this.kept.push(problem);
  }
}
