import { escapePath } from "@quorate/attestation/path-text";
import { type DifferentFile, type FileGroup, type TraceDifference, groupOf } from "@quorate/attestation/trace-difference";
import type { Sha256 } from "@quorate/protocol/digest";
import type { Policy } from "@quorate/protocol/policy";
import type { TraceAgreement } from "@quorate/verdict/trace-agreement";
import type { ResultTrace } from "./result-trace.ts";

/** `policy` is the digest of the policy that the rule is of, if it is of one. */
export type TraceRule = Policy["trace"] & { readonly policy?: Sha256 };

export type TraceComparison = {
  readonly first: ResultTrace;
  readonly second: ResultTrace;
  /** By id. */
  readonly operatorNames: ReadonlyMap<string, string>;
  readonly difference: TraceDifference;
  readonly groups: readonly FileGroup[];
  readonly same: boolean;
  readonly rule: TraceRule;
  readonly agreement: TraceAgreement;
};

const groupsShown = 20;
const filesShown = 5;

/** How two build traces compare, for people. */
export function traceDiffLines(comparison: TraceComparison): string[] {
  const { first, second, difference, operatorNames } = comparison;
  return [
    `first     ${traceLine(first, operatorNames)}`,
    `second    ${traceLine(second, operatorNames)}`,
    ...noteLines(first, second),
    ...countLines(difference),
    ...groupLines(comparison),
    `means     ${meaningOf(comparison)}`,
  ];
}

function traceLine({ name, index, result, files }: ResultTrace, operatorNames: ReadonlyMap<string, string>): string {
  const traced = `a build trace of ${counted(files.length, "file")}`;
  if (result === undefined) return `${name}: ${traced}`;
  const { source, version, architecture, operator } = result;
  const where = index === undefined ? name : `log entry ${index}`;
  return `${where}: ${source} ${version} (${architecture}) by ${operatorNames.get(operator) ?? operator}, ${traced}`;
}

function noteLines({ result: first }: ResultTrace, { result: second }: ResultTrace): string[] {
  if (first === undefined || second === undefined) return [];
  return [
    ...(first.target === second.target ? [] : ["note      they are of different targets: that their traces differ means nothing"]),
    ...(first.operator === second.operator ? ["note      they are of one operator, whose traces cannot corroborate each other"] : []),
  ];
}

function countLines({ equal, different, onlyInFirst, onlyInSecond }: TraceDifference): string[] {
  const common = equal.length + different.length;
  const share = common === 0 ? "" : ` (${Math.floor((equal.length * 100) / common)} %)`;
  const leftOut = [
    ...(onlyInFirst.length > 0 ? [`${counted(onlyInFirst.length, "file")} in the first trace only`] : []),
    ...(onlyInSecond.length > 0 ? [`${counted(onlyInSecond.length, "file")} in the second only`] : []),
  ];
  return [
    `equal     ${equal.length} of the ${counted(common, "file")} that both list${share}`,
    `differ    ${different.length}`,
    ...(leftOut.length > 0 ? [`left out  ${leftOut.join(", ")}: only files that both traces list are compared`] : []),
  ];
}

function groupLines({ groups, difference }: TraceComparison): string[] {
  const differing = Map.groupBy(difference.different, ({ path }) => groupOf(path));
  const lines = groups.slice(0, groupsShown).flatMap((group) => {
    const parts = [
      ...(group.different > 0 ? [`${group.different} differ`] : []),
      ...(group.onlyInFirst > 0 ? [`${group.onlyInFirst} in the first only`] : []),
      ...(group.onlyInSecond > 0 ? [`${group.onlyInSecond} in the second only`] : []),
      `${group.equal} equal`,
    ];
    return [`  ${escapePath(group.files)}  ${parts.join(", ")}`, ...fileLines(differing.get(group.files) ?? [])];
  });
  const more = groups.length - groupsShown;
  return more > 0 ? [...lines, `  and ${more} groups more; --json lists every file`] : lines;
}

function fileLines(files: readonly DifferentFile[]): string[] {
  const lines = files
    .slice(0, filesShown)
    .flatMap(({ path, first, second }) => [
      `    ${escapePath(path)}`,
      `      first   ${first.sha256}  ${counted(first.sizeBytes, "byte")}`,
      `      second  ${second.sha256}  ${counted(second.sizeBytes, "byte")}`,
    ]);
  return files.length > filesShown ? [...lines, `    and ${files.length - filesShown} more`] : lines;
}

function meaningOf({ agreement, rule }: TraceComparison): string {
  const whose = rule.policy === undefined ? "the default policy" : `policy ${rule.policy}`;
  const asks = `${whose} asks that ${rule.sharePercent} % of the files that both list are equal, and that these are at least ${rule.minimumFiles}`;
  switch (agreement) {
    case "corroborates":
      return `each corroborates the other: ${asks}`;
    case "contradicts":
      return `they contradict each other: ${asks}; a result counts if another operator's trace corroborates it`;
    case "says-little":
      return `neither says anything of the other: ${asks}`;
  }
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
