import { loadImaList, weighMeasurements } from "@quorate/host/runtime/ima-list";
import type { KnownPrograms } from "@quorate/host/runtime/known-programs";
import { countProtectedFiles } from "@quorate/host/runtime/protected-files";
import type { Sweep } from "@quorate/host/runtime/sweep";
import type { RuntimePredicate } from "@quorate/protocol/runtime";
import { errorLine } from "../command-error.ts";
import { escapeForLine } from "../escape-for-line.ts";

/** What a host has besides what its processes show, and what it lacks. */
export type HostEvidence = Pick<RuntimePredicate, "ima" | "verity"> & { readonly lacks: readonly string[] };

const maxLackCharacters = 300;

/** Looks at what the kernel below a root has measured, and which of the files that a sweep found verified it protects. */
export async function gatherEvidence(root: string, { findings }: Sweep, known: Pick<KnownPrograms, "find">): Promise<HostEvidence> {
  const lacks: string[] = [];
  const lack = (what: string) => (error: unknown) => void lacks.push(lackLine(what, error));
  const ima = await loadImaList(root)
    .then((list) => weighMeasurements(list, known))
    .catch(lack("IMA"));
  const places = findings.flatMap(({ class: found, path }) => (found === "verified" && path.startsWith("/") ? [`${root}${path}`] : []));
  const files = [...new Set(places)];
  const verity = await countProtectedFiles(files)
    .then((count) => ({ files: files.length, protected: count }))
    .catch(lack("fs-verity"));
  return { ...(ima && { ima }), ...(verity && { verity }), lacks };
}

/** One line of what a report lacks, and why. */
export function lackLine(what: string, error: unknown): string {
  const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
  return `${what}: ${isMissing ? "there is none here" : escapeForLine(errorLine(error))}`.slice(0, maxLackCharacters);
}

/** For people. */
export function evidenceLines({ ima, verity, lacks }: HostEvidence): string[] {
  return [
    ...(ima === undefined
      ? []
      : [
          `IMA: ${ima.entries} entries; ${ima.verified} of files that were rebuilt, ${ima.unverified} of others, ${ima.violations} violations`,
        ]),
    ...(verity === undefined ? [] : [`fs-verity: on for ${verity.protected} of ${verity.files} verified files that run`]),
    ...lacks,
  ];
}
