import { unreachable } from "@quorate/protocol/unreachable";

/** Why a request names no target: each says what does exist. */
export type Refusal =
  | { readonly kind: "unknown-distribution"; readonly distribution: string; readonly known: readonly string[] }
  | { readonly kind: "unknown-suite"; readonly suite: string; readonly known: readonly string[] }
  | { readonly kind: "unknown-architecture"; readonly architecture: string; readonly known: readonly string[] }
  | {
      readonly kind: "unknown-package";
      readonly source: string;
      readonly suite: string;
      /** Sources with a like name, or the one that builds a binary package of this name. */
      readonly known: readonly string[];
    }
  | { readonly kind: "unknown-version"; readonly source: string; readonly version: string; readonly known: readonly string[] }
  | {
      readonly kind: "nothing-to-compare";
      readonly source: string;
      readonly version: string;
      readonly suite: string;
      /** Source versions that the suite has binary packages of. */
      readonly known: readonly string[];
    }
  /** Its statement would not fit into a log entry. */
  | { readonly kind: "too-large"; readonly source: string; readonly version: string; readonly files: number; readonly artifacts: number };

/** One sentence for people. */
export function formatRefusal(refusal: Refusal): string {
  switch (refusal.kind) {
    case "unknown-distribution":
      return `no archive of the distribution ${refusal.distribution} is configured${listOf("there is", refusal.known)}`;
    case "unknown-suite":
      return `the archive has no suite ${refusal.suite}${listOf("known suites are", refusal.known)}`;
    case "unknown-architecture":
      return `nothing is built for the architecture ${refusal.architecture}${listOf("there is", refusal.known)}`;
    case "unknown-package":
      return `${refusal.suite} has no source package ${refusal.source}${listOf("did you mean", refusal.known)}`;
    case "unknown-version":
      return `there is no version ${refusal.version} of ${refusal.source}${listOf("there is", refusal.known)}`;
    case "nothing-to-compare":
      return `${refusal.suite} has no binary packages of ${refusal.source} ${refusal.version}${listOf("it has those of", refusal.known)}`;
    case "too-large":
      return `${refusal.source} ${refusal.version} is too large to be logged: ${refusal.files} source files, ${refusal.artifacts} binary packages`;
    default:
      return unreachable(refusal);
  }
}

function listOf(lead: string, names: readonly string[]): string {
  return names.length === 0 ? "" : `; ${lead} ${names.join(", ")}`;
}
