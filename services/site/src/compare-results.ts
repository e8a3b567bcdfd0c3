import { parseTrace } from "@quorate/attestation/build-trace";
import { parseManifest } from "@quorate/attestation/manifest";
import { textOf } from "@quorate/protocol/utf8";
import { environmentLockSchema } from "@quorate/protocol/environment-lock";
import type { Byproduct, Result } from "@quorate/protocol/result";
import type { Sha256 } from "@quorate/protocol/digest";

/** Things by name that two results have otherwise, or that only one of them has; `undefined` where it has none. */
export type Difference = { readonly name: string; readonly one: string | undefined; readonly other: string | undefined };

export type Comparison =
  /** How many things there are by either, and those that differ, in order. */
  | { readonly kind: "compared"; readonly count: number; readonly differences: readonly Difference[] }
  | { readonly kind: "unavailable"; readonly reason: string };

export type ResultComparison = {
  /** How each came about, as its operator signed it. */
  readonly circumstances: Comparison;
  readonly artifacts: Comparison;
  readonly environment: Comparison;
  readonly trace: Comparison;
  /** Members of the artifacts that differ, by file. */
  readonly manifests: ReadonlyMap<string, Comparison>;
};

/** The bytes of a blob. @throws Error when it cannot be had */
export type LoadBlob = (sha256: Sha256) => Promise<Uint8Array>;

/** In what two results of one target differ: files, packages of the environment, intermediate files, and members of the files that differ. */
export async function compareResults(one: Result, other: Result, loadBlob: LoadBlob): Promise<ResultComparison> {
  const kept = (kind: Byproduct["kind"], name?: string) => {
    const find = ({ byproducts }: Result) =>
      byproducts.find((byproduct) => byproduct.kind === kind && (name ?? byproduct.name) === byproduct.name);
    return { one: find(one), other: find(other) };
  };
  const artifacts = compared(artifactDigests(one), artifactDigests(other));
  const differing = artifacts.kind === "compared" ? artifacts.differences.map(({ name }) => name) : [];
  const [environment, trace, ...manifests] = await Promise.all([
    compareBlobs(kept("environment-lock"), readLock, loadBlob),
    compareBlobs(kept("build-trace"), readTrace, loadBlob),
    ...differing.map(async (file) => [file, await compareBlobs(kept("manifest", file), readManifest, loadBlob)] as const),
  ]);
  const circumstances = compared(circumstancesOf(one), circumstancesOf(other));
  return { circumstances, artifacts, environment, trace, manifests: new Map(manifests) };
}

type Named = ReadonlyMap<string, string>;

function compared(one: Named, other: Named): Comparison {
  const names = [...new Set([...one.keys(), ...other.keys()])].toSorted();
  const differences = names
    .map((name) => ({ name, one: one.get(name), other: other.get(name) }))
    .filter((difference) => difference.one !== difference.other);
  return { kind: "compared", count: names.length, differences };
}

type Kept = { readonly one: Byproduct | undefined; readonly other: Byproduct | undefined };

async function compareBlobs({ one, other }: Kept, read: (bytes: Uint8Array) => Named, loadBlob: LoadBlob): Promise<Comparison> {
  if (one === undefined || other === undefined) return { kind: "unavailable", reason: "one of the results names none" };
  try {
    const first = read(await loadBlob(one.sha256));
    return compared(first, one.sha256 === other.sha256 ? first : read(await loadBlob(other.sha256)));
  } catch (error) {
    return { kind: "unavailable", reason: error instanceof Error ? error.message : String(error) };
  }
}

function circumstancesOf(result: Result): Named {
  const { outcome, sandboxProfile, environment, builderVersion, startedAt, finishedAt } = result;
  return new Map([
    ...Object.entries(builderVersion),
    ["outcome", outcome === "failed" ? `${result.failure.step}: ${result.failure.reason}: ${result.failure.message}` : outcome],
    ["sandbox", sandboxProfile],
    ["environment pin", environment],
    ["started", startedAt],
    ["took", `${Math.round((Date.parse(finishedAt) - Date.parse(startedAt)) / 1000)} s`],
  ]);
}

function artifactDigests(result: Result): Named {
  return new Map(result.outcome === "failed" ? [] : result.artifacts.map(({ name, sha256 }) => [name, sha256]));
}

function readLock(bytes: Uint8Array): Named {
  const { packages } = environmentLockSchema.parse(JSON.parse(textOf(bytes)));
  return new Map(packages.map((one) => [`${one.package}:${one.architecture}`, `${one.version} ${one.sha256}`]));
}

function readTrace(bytes: Uint8Array): Named {
  return new Map(parseTrace(bytes).map(({ path, sizeBytes, sha256 }) => [path, `${sizeBytes} bytes, ${sha256}`]));
}

function readManifest(bytes: Uint8Array): Named {
  return new Map(
    parseManifest(textOf(bytes)).map(({ part, path, kind, mode, owner, group, sizeBytes, sha256, linkTarget }) => [
      `${part}/${path}`,
      `${kind} ${mode.toString(8)} ${owner}:${group}, ${sizeBytes} bytes ${linkTarget ?? sha256 ?? ""}`.trimEnd(),
    ]),
  );
}
